// What a training says while it runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "relic/core/log.h"
#include "relic/train/metrics.h"

namespace relic {

/// A line that follows every step on a terminal; elsewhere a plain line every half minute. Carries the original's
/// fields plus images/s and the time left.
class ProgressLine {
 public:
  struct Shape {
    std::int64_t first_step = 0;
    std::int64_t last_step = 0;  ///< where the run ends
    std::int64_t steps_per_epoch = 1;
    std::int64_t epochs = 1;
    std::int64_t batch_size = 1;
    double alpha = 1;
  };
  using Clock = std::chrono::steady_clock;
  ProgressLine(Log& log, const Shape& shape, std::function<Clock::time_point()> now = Clock::now);

  /// Images per second over the last seconds, the steps included that are known to be done since the last call.
  double count_steps(std::int64_t steps);
  /// The same over all steps since the last call of this: saves are part of their time, what is skipped is not.
  double images_per_second_of_epoch();
  /// The time since the last step was none of training.
  void skip_time() { last_step_ = now_(); }
  /// In one line; the losses are means, over the epoch and the run so far.
  [[nodiscard]] std::string text(const StepMetrics& metrics, double epoch_loss, double total_loss) const;
  void show(const StepMetrics& metrics, double epoch_loss, double total_loss);

 private:
  Log& log_;
  Shape shape_;
  std::function<Clock::time_point()> now_;
  Clock::time_point last_shown_;
  Clock::time_point last_step_;
  double seconds_per_step_ = 0;  // smoothed
  std::int64_t steps_ = 0;
  double epoch_seconds_ = 0;
  std::int64_t epoch_steps_ = 0;
};

}  // namespace relic
