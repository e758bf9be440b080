#include "relic/train/progress.h"

#include <algorithm>
#include <string>
#include <utility>

#include "relic/core/text.h"

namespace relic {

namespace {
constexpr std::chrono::milliseconds kTerminalInterval{100};
constexpr std::chrono::seconds kPlainInterval{30};
constexpr double kSmoothing = 0.05;
}  // namespace

ProgressLine::ProgressLine(Log& log, const Shape& shape, std::function<Clock::time_point()> now)
    : log_(log), shape_(shape), now_(std::move(now)), last_shown_(now_()), last_step_(now_()) {}

double ProgressLine::count_steps(std::int64_t steps) {
  const auto now = now_();
  const double seconds = std::max(1e-9, std::chrono::duration<double>(now - last_step_).count());
  last_step_ = now;
  epoch_seconds_ += seconds;
  epoch_steps_ += steps;
  for (std::int64_t i = 0; i < steps; ++i) {
    ++steps_;
    // The first step warms up (allocations, kernel choice) and tells nothing of the rest.
    const double weight = steps_ <= 2 ? 1.0 : std::max(kSmoothing, 1.0 / static_cast<double>(steps_ - 1));
    seconds_per_step_ += weight * (seconds / static_cast<double>(steps) - seconds_per_step_);
  }
  return static_cast<double>(shape_.batch_size) / seconds_per_step_;
}

double ProgressLine::images_per_second_of_epoch() {
  // Steps of several short epochs may have become known at once.
  if (epoch_steps_ == 0) return static_cast<double>(shape_.batch_size) / seconds_per_step_;
  const auto images = static_cast<double>(std::exchange(epoch_steps_, 0) * shape_.batch_size);
  return images / std::exchange(epoch_seconds_, 0);
}

std::string ProgressLine::text(const StepMetrics& m, double epoch_loss, double total_loss) const {
  const auto in_epoch = (m.step - 1) % shape_.steps_per_epoch + 1;
  const double left = seconds_per_step_ * static_cast<double>(shape_.last_step - m.step);
  // The most looked at comes first: a narrow terminal cuts the end, where what never changes stands.
  return "epoch " + std::to_string(m.epoch) + "/" + std::to_string(shape_.epochs) + "  step " +
         std::to_string(in_epoch) + "/" + std::to_string(shape_.steps_per_epoch) + "  " +
         (m.step == shape_.last_step ? "done" : duration_text(left) + " left") + "  epoch loss " +
         fixed(epoch_loss, 4) + "  " + fixed(m.images_per_second, 1) + " images/s  kl " + fixed(m.invariance_loss, 4) +
         "  step loss " + fixed(m.loss, 4) + "  total loss " + fixed(total_loss, 4) + "  gamma " + fixed(m.gamma, 5) +
         "  temperature " + fixed(m.temperature, 3) + "  bias " + fixed(m.bias, 3) + "  alpha " +
         shortest(shape_.alpha) + "  lr " + shortest(m.learning_rate);
}

void ProgressLine::show(const StepMetrics& m, double epoch_loss, double total_loss) {
  const auto now = now_();
  const bool last = m.step == shape_.last_step;
  const bool terminal = log_.has_terminal();
  if (now - last_shown_ < (terminal ? Clock::duration(kTerminalInterval) : Clock::duration(kPlainInterval)) && !last) {
    return;
  }
  last_shown_ = now;
  const std::string line = text(m, epoch_loss, total_loss);
  if (terminal) {
    log_.progress(line);
  } else {
    log_.info(line);
  }
}

}  // namespace relic
