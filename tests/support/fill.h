// Inputs and weights that are hashes of their position, and how tensors are compared with recorded digests: what the
// fixtures in tests/data were made with.
#pragma once

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "relic/core/random.h"
#include "relic/nn/state_dict.h"

namespace relic::testing {

inline nlohmann::json read_fixture(const std::string& name) {
  const std::string path = std::string(RELIC_TEST_DATA) + "/" + name;
  std::ifstream file(path);
  if (!file) {
    throw std::runtime_error("cannot open " + path);
  }
  return nlohmann::json::parse(file);
}

/// Flat entry i is (splitmix64(stream·2³² + i) >> 40)·2⁻²⁴, in [0, 1). The values are exact in float32.
inline torch::Tensor uniform(std::uint64_t stream, torch::IntArrayRef shape, torch::ScalarType dtype = torch::kFloat) {
  auto values = torch::empty(shape, torch::kDouble);
  auto* out = values.data_ptr<double>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    out[i] = static_cast<double>(splitmix64((stream << 32U) + static_cast<std::uint64_t>(i)) >> 40U) * 0x1.0p-24;
  }
  return values.to(dtype);
}

/// The value `fill` gives to entry `index` of a state dict: computed in float64, stored as float32.
inline torch::Tensor fill_value(std::size_t index, std::string_view name, torch::IntArrayRef shape) {
  const auto u = uniform(index, shape, torch::kDouble);
  const auto s = 2 * u - 1;
  torch::Tensor value;
  if (shape.size() >= 2) {
    std::int64_t fan_in = 1;
    for (std::size_t d = 1; d < shape.size(); ++d) {
      fan_in *= shape[d];
    }
    value = s * std::sqrt(6.0 / static_cast<double>(fan_in));
  } else if (name.ends_with("running_var")) {
    value = 1 + 0.5 * u;
  } else if (name.ends_with("running_mean") || name.ends_with("bias")) {
    value = 0.1 * s;
  } else if (name.ends_with("weight")) {
    value = 1 + 0.2 * s;
  } else {
    throw std::runtime_error("fill: no rule for " + std::string(name));
  }
  return value.to(torch::kFloat);
}

/// Sets every tensor of the module's state dict to a hash of its index there; integer tensors to zero.
inline void fill(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  const auto tensors = state_dict(module);
  for (std::size_t index = 0; index < tensors.size(); ++index) {
    const auto& [name, tensor] = tensors[index];
    if (tensor.is_floating_point()) {
      tensor.copy_(fill_value(index, name, tensor.sizes()));
    } else {
      tensor.zero_();
    }
  }
}

/// The module's parameters and floating buffers in another type; integer buffers keep theirs, as in Python.
inline void convert_floating(torch::nn::Module& module, torch::ScalarType dtype) {
  for (auto& [name, tensor] : state_dict(module)) {
    if (tensor.is_floating_point()) {
      tensor.set_data(tensor.to(dtype));
    }
  }
}

/// Images and weights as a training holds them.
inline void convert_channels_last(torch::nn::Module& module) {
  for (auto& [name, tensor] : state_dict(module)) {
    if (tensor.dim() == 4) {
      tensor.set_data(tensor.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
}

inline StateDict clone(const StateDict& tensors) {
  StateDict copies;
  for (const auto& [name, tensor] : tensors) copies.emplace_back(name, tensor.detach().clone());
  return copies;
}

/// How far a tensor is from a digest {l2, first}: the larger of |l2 − l2′| / l2′ and max |first − first′| /
/// max |first′|. Sums cancel and are not compared.
inline double digest_difference(const torch::Tensor& tensor, const nlohmann::json& digest) {
  const auto flat = tensor.detach().to(torch::kCPU, torch::kDouble).contiguous().flatten();
  const auto first = digest.at("first").get<std::vector<double>>();
  const auto count = std::min<std::int64_t>(flat.numel(), static_cast<std::int64_t>(first.size()));
  double largest = 0;
  double difference = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double expected = first[static_cast<std::size_t>(i)];
    largest = std::max(largest, std::abs(expected));
    difference = std::max(difference, std::abs(flat[i].item<double>() - expected));
  }
  const auto l2 = digest.at("l2").get<double>();
  return std::max(std::abs(flat.norm().item<double>() - l2) / l2, difference / largest);
}

}  // namespace relic::testing
