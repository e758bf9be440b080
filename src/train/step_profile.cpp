#include "relic/train/step_profile.h"

#include <array>
#include <utility>

#include "relic/core/text.h"
#include "views/device_streams.h"

namespace relic {

namespace {

constexpr std::array kNames{"waiting for views", "online forward", "target forward", "loss",    "backward",
                            "optimizer",         "recorded step",  "target update",  "the rest"};

std::string row(const std::string& name, double seconds, double of_seconds) {
  constexpr std::size_t name_width = 20;
  const std::string share = fixed(100 * seconds / of_seconds, 1) + " %";
  return "  " + padded(name, name_width) + std::string(share.size() < 7 ? 7 - share.size() : 0, ' ') + share + "   " +
         fixed(1000 * seconds, 2) + " ms";
}

}  // namespace

StepProfile::StepProfile(const torch::Device& device, std::int64_t warm_up, std::int64_t steps)
    : device_(device), warm_up_(warm_up), steps_(steps) {}

void StepProfile::begin_step(const ViewTimes& views) {
  ++begun_;
  if (begun_ <= warm_up_ + 1) {
    marks_.clear();
    first_views_ = views;
  }
  last_views_ = views;
  enter(StepPart::waiting);
}

void StepProfile::enter(StepPart part) {
  Mark mark{part, std::chrono::steady_clock::now(), std::nullopt};
  if (!device_.is_cpu()) {
    mark.event.emplace(device_.type(), c10::EventFlag::BACKEND_DEFAULT);
    mark.event->record(current_stream(device_));
  }
  marks_.push_back(std::move(mark));
}

double StepProfile::seconds_between(const Mark& from, const Mark& to) const {
  return from.event && to.event ? from.event->elapsedTime(*to.event) / 1000
                                : std::chrono::duration<double>(to.time - from.time).count();
}

std::vector<std::string> StepProfile::report(std::int64_t batch_size) const {
  const std::int64_t counted = begun_ - warm_up_ - 1;
  if (counted < 1) return {};
  if (const auto& last = marks_.back().event) last->synchronize();
  std::array<double, kNames.size() + 1> seconds{};
  for (std::size_t i = 0; i + 1 < marks_.size(); ++i) {
    seconds[static_cast<std::size_t>(marks_[i].part)] += seconds_between(marks_[i], marks_[i + 1]);
  }
  seconds[static_cast<std::size_t>(StepPart::none)] = 0;
  double whole = 0;
  for (double& each : seconds) {
    each /= static_cast<double>(counted);
    whole += each;
  }
  std::vector<std::string> lines{"time of a step, mean of " + std::to_string(counted) +
                                 (counted < steps_ ? ", not of " + std::to_string(steps_) : "") + ": " +
                                 fixed(1000 * whole, 2) + " ms, " + fixed(static_cast<double>(batch_size) / whole, 1) +
                                 " images/s"};
  const bool recorded = seconds[static_cast<std::size_t>(StepPart::recorded)] > 0;
  for (std::size_t part = 0; part < kNames.size(); ++part) {
    const auto named = static_cast<StepPart>(part);
    const bool of_recorded = named >= StepPart::online_forward && named <= StepPart::optimizer;
    if (recorded ? !of_recorded : named != StepPart::recorded) {
      lines.push_back(row(kNames[part], seconds[part], whole));
    }
  }
  const double views = last_views_.view_seconds - first_views_.view_seconds;
  if (!last_views_.batches) {
    const double data = last_views_.data_seconds - first_views_.data_seconds;
    lines.emplace_back("beside it, in the threads that make views:");
    lines.push_back(row("data", data / static_cast<double>(counted), whole));
    lines.push_back(row("views", views / static_cast<double>(counted), whole));
  } else if (const auto batches = *last_views_.batches - first_views_.batches.value_or(0); batches > 0) {
    lines.emplace_back("beside it, in the GPU's stream that renders views:");
    lines.push_back(row("views", views / static_cast<double>(batches), whole));
  }
  return lines;
}

}  // namespace relic
