// What a piece of work needs of a CPU's memory.
#pragma once

#include <functional>

namespace relic {

/// The most bytes that LibTorch's allocator has given this thread at a time while `work` ran, of those that were not
/// given before.
double allocation_peak(const std::function<void()>& work);

}  // namespace relic
