// What a training's device is called.
#pragma once

#include <torch/types.h>

#include <string>

namespace relic {

/// A GPU's product name; where no CUDA sources are compiled, "cuda:0".
std::string device_name(const torch::Device& device);

}  // namespace relic
