// What steps measured, on its way from their device.
#pragma once

#include <c10/core/Event.h>
#include <torch/types.h>

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "relic/nn/relic.h"
#include "relic/objective/relic_loss.h"
#include "relic/train/metrics.h"

namespace relic {

/// Loss, invariance loss, tau, b, the shares of images whose other view is nearest and among the nearest five, and
/// `found_inf` (scalar: whether the step was skipped), as float32 [7] on the device of `relic`: nothing waits for it.
torch::Tensor measure_step(const LossTerms& terms, const Relic& relic, const torch::Tensor& found_inf);

/// Steps that a GPU may still be busy with. The host goes on meanwhile, and learns what they measured some steps later;
/// on a CPU at once.
class StepQueue {
 public:
  explicit StepQueue(const torch::Device& device);

  /// `known`: what the host knows of the step; `measured`, see measure_step, may be overwritten by work that is
  /// launched later.
  void push(const StepMetrics& known, const torch::Tensor& measured);
  /// The steps that are done, oldest first. Waits only where the host is many steps ahead.
  std::vector<StepMetrics> arrived();
  /// All of them; waits for the last one.
  std::vector<StepMetrics> all();

 private:
  struct Step {
    StepMetrics metrics;
    std::size_t slot = 0;
    std::optional<c10::Event> done;  // on a GPU
  };
  StepMetrics take_oldest();

  torch::Device device_;
  torch::Tensor slots_;  // [most under way, 7], on the host
  std::size_t next_slot_ = 0;
  std::deque<Step> under_way_;
};

}  // namespace relic
