// Memory of the training's device.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace relic {

/// The most that LibTorch has held of a GPU's memory so far, bytes; 0 on a CPU.
std::int64_t peak_device_bytes(const torch::Device& device);

/// Gives what LibTorch holds of a GPU's memory, and does not use, back.
void release_device_memory(const torch::Device& device);
/// What other programs and ours do not use of a GPU's memory, bytes; 0 on a CPU.
std::int64_t free_device_bytes(const torch::Device& device);

}  // namespace relic
