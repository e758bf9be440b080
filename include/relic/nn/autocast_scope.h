// Networks in another type than their weights.
#pragma once

#include <torch/types.h>

#include <optional>

namespace relic {

/// Autocast on one device type for a scope; the cache of cast weights ends with it.
class AutocastScope {
 public:
  AutocastScope(torch::DeviceType device, std::optional<torch::ScalarType> dtype);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  torch::DeviceType device_;
  bool active_;
};

}  // namespace relic
