// Tensors under names, as PyTorch's state dicts hold them.
#pragma once

#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

namespace relic {

/// Names and tensors in order; the tensors share memory with whatever they came from.
using StateDict = std::vector<std::pair<std::string, torch::Tensor>>;

}  // namespace relic
