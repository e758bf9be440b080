#include "relic/nn/autocast_scope.h"

#include <ATen/autocast_mode.h>

namespace relic {

AutocastScope::AutocastScope(torch::DeviceType device, std::optional<torch::ScalarType> dtype)
    : device_(device), active_(dtype.has_value()) {
  if (active_) {
    was_enabled_ = at::autocast::is_autocast_enabled(device_);
    dtype_before_ = at::autocast::get_autocast_dtype(device_);
    cached_before_ = at::autocast::is_autocast_cache_enabled();
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::set_autocast_dtype(device_, *dtype);
    at::autocast::set_autocast_cache_enabled(true);
    at::autocast::increment_nesting();
  }
}

AutocastScope::~AutocastScope() {
  if (active_) {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    at::autocast::set_autocast_enabled(device_, was_enabled_);
    at::autocast::set_autocast_dtype(device_, dtype_before_);
    at::autocast::set_autocast_cache_enabled(cached_before_);
  }
}

}  // namespace relic
