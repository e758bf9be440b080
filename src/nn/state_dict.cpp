#include "relic/nn/state_dict.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <sstream>
#include <unordered_map>

#include "relic/core/error.h"

namespace relic {

namespace {

std::string shape_text(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

/// "2 missing (a, b)": the count, and the first names.
std::string describe(const std::vector<std::string>& names, const std::string& what) {
  constexpr std::size_t shown = 3;
  std::string text = std::to_string(names.size()) + " " + what + " (";
  for (std::size_t i = 0; i < names.size() && i < shown; ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  return text + (names.size() > shown ? ", …)" : ")");
}

}  // namespace

StateDict state_dict(const torch::nn::Module& module, const std::string& prefix) {
  StateDict tensors;
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    tensors.emplace_back(prefix + parameter.key(), parameter.value());
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    tensors.emplace_back(prefix + buffer.key(), buffer.value());
  }
  for (const auto& child : module.named_children()) {
    auto below = state_dict(*child.value(), prefix + child.key() + ".");
    std::move(below.begin(), below.end(), std::back_inserter(tensors));
  }
  return tensors;
}

void load_state_dict(torch::nn::Module& module, const StateDict& tensors, const std::string& where) {
  std::unordered_map<std::string, torch::Tensor> given(tensors.begin(), tensors.end());
  std::vector<std::string> missing;
  std::vector<std::string> unexpected;
  std::vector<std::string> misshapen;
  const auto own = state_dict(module);
  for (const auto& [name, tensor] : own) {
    const auto found = given.find(name);
    if (found == given.end()) {
      missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      misshapen.push_back(name + " " + shape_text(found->second) + " for " + shape_text(tensor));
    }
  }
  const std::unordered_map<std::string, torch::Tensor> known(own.begin(), own.end());
  for (const auto& [name, tensor] : tensors) {
    if (!known.contains(name)) {
      unexpected.push_back(name);
    }
  }

  std::string problems;
  const auto add = [&problems](const std::vector<std::string>& names, const std::string& what) {
    if (!names.empty()) {
      problems += (problems.empty() ? "" : ", ") + describe(names, what);
    }
  };
  add(missing, "missing");
  add(unexpected, "unexpected");
  add(misshapen, "of another shape");
  if (!problems.empty()) {
    throw Error(where + ": tensors do not fit the model: " + problems +
                "; is it of another encoder, stem or projector?");
  }

  const torch::NoGradGuard no_grad;
  for (const auto& [name, tensor] : own) {
    tensor.copy_(given.at(name));
  }
}

}  // namespace relic
