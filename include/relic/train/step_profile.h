// Where the time of training steps goes (--profile).
#pragma once

#include <c10/core/Event.h>
#include <torch/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relic/views/view_source.h"

namespace relic {

/// What a step does, in the order in which it is told.
enum class StepPart : std::uint8_t {
  waiting,  ///< for views
  online_forward,
  target_forward,
  loss,
  backward,
  optimizer,
  recorded,  ///< all of these, where a step is one CUDA graph
  target_update,
  rest,  ///< metrics, log, saves
  none,  ///< of no step: an evaluation, the save at the end
};

/// A clock of the training thread: of the time between two marks, on a GPU of that between two events in its stream, so
/// that nothing is synchronised before the report.
class StepProfile {
 public:
  /// The first `warm_up` of the steps are not counted; the report is due `steps` later.
  StepProfile(const torch::Device& device, std::int64_t warm_up, std::int64_t steps);

  /// A step begins, or the last one has ended.
  void begin_step(const ViewTimes& views);
  /// From here on the time is that of `part`.
  void enter(StepPart part);

  [[nodiscard]] bool is_due() const { return begun_ > warm_up_ + steps_; }
  /// The table, of the steps that were counted; empty where there is none.
  [[nodiscard]] std::vector<std::string> report(std::int64_t batch_size) const;

 private:
  struct Mark {
    StepPart part;
    std::chrono::steady_clock::time_point time;
    std::optional<c10::Event> event;  // on a GPU
  };
  [[nodiscard]] double seconds_between(const Mark& from, const Mark& to) const;

  torch::Device device_;
  std::int64_t warm_up_;
  std::int64_t steps_;
  std::int64_t begun_ = 0;
  std::vector<Mark> marks_;
  ViewTimes first_views_;
  ViewTimes last_views_;
};

/// Marks a part of a step in a profile, if there is one.
inline void enter(StepProfile* profile, StepPart part) {
  if (profile != nullptr) profile->enter(part);
}

}  // namespace relic
