// Autocast: networks in another type than their weights.
#pragma once

#include <torch/types.h>

#include <optional>

namespace relic {

/// LibTorch's autocast to `dtype` on one device type for a scope, and what there was before after it; nullopt: nothing
/// is changed. The cache of cast weights ends with the outermost.
class AutocastScope {
 public:
  AutocastScope(torch::DeviceType device, std::optional<torch::ScalarType> dtype);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  torch::DeviceType device_;
  bool active_;
  bool was_enabled_ = false;
  torch::ScalarType dtype_before_ = torch::kFloat;
  bool cached_before_ = true;
};

}  // namespace relic
