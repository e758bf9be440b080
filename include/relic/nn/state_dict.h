// Modules' tensors under Python's names and in Python's order.
#pragma once

#include <torch/nn/module.h>

#include <string>

#include "relic/formats/state_dict.h"

namespace relic {

/// As Python's `module.state_dict()`: each module's parameters, its buffers, then its children.
StateDict state_dict(const torch::nn::Module& module, const std::string& prefix = "");

/// Copies `tensors` into the module. Throws Error that starts with `where` and lists the first names that are missing,
/// unexpected, or of another shape. Types are converted.
void load_state_dict(torch::nn::Module& module, const StateDict& tensors, const std::string& where);

}  // namespace relic
