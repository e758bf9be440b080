#include "relic/train/ema_schedule.h"

#include <cmath>
#include <numbers>

namespace relic {

EmaSchedule::EmaSchedule(double initial, std::int64_t steps_per_epoch, std::int64_t epochs, std::int64_t after_step,
                         std::int64_t every_n_steps)
    : initial_(initial),
      length_(steps_per_epoch * (epochs + 2) - after_step),
      after_step_(after_step),
      every_(every_n_steps) {}

double EmaSchedule::gamma(std::int64_t k) const {
  const double progress = static_cast<double>(k) / static_cast<double>(length_);
  return 1 - (1 - initial_) * (std::cos(std::numbers::pi * progress) + 1) / 2;
}

EmaSchedule::Update EmaSchedule::at(std::int64_t step) const {
  if (step <= after_step_) {
    return {Action::copy, 0};
  }
  if (step % every_ != 0) {
    return {Action::none, 0};
  }
  return {Action::lerp, decay_before(step)};
}

double EmaSchedule::decay_before(std::int64_t step) const {
  const std::int64_t last_update = (step - 1) - (step - 1) % every_;
  return last_update > after_step_ ? gamma(last_update) : initial_;
}

}  // namespace relic
