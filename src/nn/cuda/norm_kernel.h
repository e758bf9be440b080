// BatchNorm, addition and ReLU in one on a GPU (C++17, no LibTorch).
#pragma once

#include <cstdint>

#include "nn/norm_pass.h"

struct CUstream_st;

namespace relic::norm_kernel {

using norm_pass::Backward;
using norm_pass::Forward;
using norm_pass::Shape;
using norm_pass::Type;

/// Whether the kernels take it: powers of two of channels, 16 bytes at least and 2,048 values at most.
bool fits(const Shape& shape);

/// Floats of the GPU's memory that the kernels want for sums of their own.
std::int64_t scratch_floats(const Shape& shape);

void forward(const Forward& what, CUstream_st* stream);
void backward(const Backward& what, CUstream_st* stream);

}  // namespace relic::norm_kernel
