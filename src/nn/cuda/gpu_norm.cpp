#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "nn/cuda/norm_kernel.h"
#include "nn/device_norm.h"

namespace relic::gpu_norm {

namespace {

/// Freed at once, and used again only by what is launched later in the same stream.
at::Tensor scratch_of(const norm_pass::Shape& shape, const c10::Device& device) {
  return at::empty({norm_kernel::scratch_floats(shape)}, at::TensorOptions(device).dtype(at::kFloat));
}

CUstream_st* stream_of(const c10::Device& device) { return c10::cuda::getCurrentCUDAStream(device.index()).stream(); }

}  // namespace

bool fits(const norm_pass::Shape& shape) { return norm_kernel::fits(shape); }

void forward(norm_pass::Forward what, const c10::Device& device) {
  const c10::DeviceGuard guard(device);
  const auto scratch = scratch_of(what.shape, device);
  what.scratch = scratch.data_ptr<float>();
  norm_kernel::forward(what, stream_of(device));
}

void backward(norm_pass::Backward what, const c10::Device& device) {
  const c10::DeviceGuard guard(device);
  const auto scratch = scratch_of(what.shape, device);
  what.scratch = scratch.data_ptr<float>();
  norm_kernel::backward(what, stream_of(device));
}

}  // namespace relic::gpu_norm
