// NumPy's .npy files, format version 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
#pragma once

#include <torch/types.h>

#include <filesystem>

namespace relic {

/// Writes a tensor of float32, float64, int64 or uint8, of any shape, in C order, whole or not at all. Throws Error
/// with path and reason.
void write_npy(const std::filesystem::path& path, const torch::Tensor& tensor);

}  // namespace relic
