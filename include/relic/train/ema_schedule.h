// The target's decay as a function of the step.
#pragma once

#include <cstdint>

namespace relic {

/// gamma rises from `initial` to 1 along a half cosine (BYOL, arXiv 2006.07733, section 3.3), as the original computes
/// it: the decay used at a step is the one computed at the update before.
class EmaSchedule {
 public:
  EmaSchedule(double initial, std::int64_t steps_per_epoch, std::int64_t epochs, std::int64_t after_step,
              std::int64_t every_n_steps);

  /// gamma after an update at step k: 1 − (1 − initial)·(cos(π·k/K) + 1)/2.
  [[nodiscard]] double gamma(std::int64_t k) const;
  /// K = steps per epoch · (epochs + 2) − after_step.
  [[nodiscard]] std::int64_t length() const { return length_; }

  enum class Action { copy, lerp, none };
  struct Update {
    Action action = Action::none;
    double decay = 0;  ///< for lerp
  };
  /// What happens to the target after the optimizer's step `step` (from 0): before and at `after_step` a copy, then
  /// every n-th step a lerp.
  [[nodiscard]] Update at(std::int64_t step) const;
  /// gamma as it stands before step `step`: that of the last update, or the initial one.
  [[nodiscard]] double decay_before(std::int64_t step) const;

 private:
  double initial_;
  std::int64_t length_;
  std::int64_t after_step_;
  std::int64_t every_;
};

}  // namespace relic
