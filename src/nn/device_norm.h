// Where norm_pass is computed: on the device that holds the images.
#pragma once

#include <c10/core/Device.h>

#include "nn/norm_pass.h"

namespace relic {

namespace cpu_norm {

/// Float32 and bfloat16 of channels that fill the vectors of this processor, if it has AVX2.
bool fits(const norm_pass::Shape& shape);
/// By as many threads as LibTorch has; the same bits for the same number of them.
void forward(const norm_pass::Forward& what);
void backward(const norm_pass::Backward& what);

}  // namespace cpu_norm

/// In the device's current stream; nothing fits where no CUDA sources are compiled.
namespace gpu_norm {

bool fits(const norm_pass::Shape& shape);
void forward(norm_pass::Forward what, const c10::Device& device);
void backward(norm_pass::Backward what, const c10::Device& device);

}  // namespace gpu_norm

}  // namespace relic
