#include "views/view_upload.h"

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/torch.h>

#include <utility>

namespace relic {

ViewUpload::ViewUpload(const torch::Device& gpu, torch::ScalarType type)
    : type_(type),
      stream_(c10::impl::VirtualGuardImpl(gpu.type()).getStreamFromGlobalPool(gpu)),
      most_(torch::full({}, 255.0F).to(gpu)) {}

torch::Tensor ViewUpload::pixels(std::int64_t images, int size) {
  return torch::empty(
      {images, 3, size, size},
      torch::TensorOptions().dtype(torch::kByte).memory_format(at::MemoryFormat::ChannelsLast).pinned_memory(true));
}

torch::Tensor ViewUpload::numbers(const torch::Tensor& pixels) const {
  const auto there = pixels.to(stream_.device(), /*non_blocking=*/true);
  auto numbers = torch::empty_like(there, there.options().dtype(type_));
  torch::div_out(numbers, there, most_);
  return numbers;
}

ViewUpload::Batch ViewUpload::begin(const Views& pixels) const {
  const c10::StreamGuard guard(stream_);
  Batch batch{
      {numbers(pixels.global), pixels.local.defined() ? numbers(pixels.local) : torch::Tensor{}, pixels.samples},
      c10::Event(stream_.device_type())};
  batch.arrival.record(stream_);
  return batch;
}

Views ViewUpload::arrive(Batch batch) {
  const auto device = batch.views.global.device();
  const auto user = c10::impl::VirtualGuardImpl(device.type()).getStream(device);
  batch.arrival.block(user);
  // Their memory was allocated for our stream, which must not write there again while they are in use.
  batch.views.global.record_stream(user);
  if (batch.views.local.defined()) batch.views.local.record_stream(user);
  return std::move(batch.views);
}

}  // namespace relic
