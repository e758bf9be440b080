// How steps make epochs.
#pragma once

#include <cstdint>

namespace relic {

/// Steps and epochs are counted from 1: step `n` is the one that makes `n` steps done.
struct Epochs {
  std::int64_t steps = 1;  ///< of one epoch

  [[nodiscard]] std::int64_t of(std::int64_t step) const { return (step - 1) / steps + 1; }
  /// Which step of its epoch.
  [[nodiscard]] std::int64_t position(std::int64_t step) const { return (step - 1) % steps + 1; }
  [[nodiscard]] bool end_at(std::int64_t step) const { return step % steps == 0; }
};

}  // namespace relic
