// Modules' tensors under Python's names and in Python's order.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

namespace relic {

/// Names and tensors in order; the tensors share memory with whatever they came from.
using StateDict = std::vector<std::pair<std::string, torch::Tensor>>;

/// As Python's `module.state_dict()`: each module's parameters, its buffers, then its children.
StateDict state_dict(const torch::nn::Module& module, const std::string& prefix = "");

/// Copies `tensors` into the module. Throws Error that starts with `where` and lists the first names that are missing,
/// unexpected, or of another shape. Types are converted.
void load_state_dict(torch::nn::Module& module, const StateDict& tensors, const std::string& where);

}  // namespace relic
