// The half of a training step that moves weights: forward, backward, Adam.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "relic/nn/relic.h"
#include "relic/train/config.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/optimizer.h"
#include "relic/train/runtime.h"
#include "relic/train/side_stream.h"
#include "relic/train/step_profile.h"
#include "relic/train/train_step.h"
#include "relic/views/view_source.h"
#include "train/running_statistics.h"

namespace relic {

/// Moves the online network, tau and b by one batch of views. The target's update is the training's, not this one's.
class OnlineUpdate {
 public:
  /// `relic` lies on the runtime's device and outlives it. `tell` hears, under --detect_anomaly, of gradients that
  /// overflow float16, a line each.
  OnlineUpdate(const TrainConfig& config, const Runtime& runtime, Relic& relic,
               std::function<void(const std::string&)> tell);

  /// What is measured of the step, on the device (measure_step). Where the loss or a gradient is not finite, no weight,
  /// moment or running statistic is changed, and found_inf() says so. Under --detect_anomaly throws
  /// NotFinite that names the layer, gradient or loss, unless a scaler may skip the step for a gradient's sake.
  torch::Tensor run(const Views& views, StepProfile* profile);

  [[nodiscard]] Adam& adam() { return adam_; }
  /// Null: the loss is not scaled.
  [[nodiscard]] GradScaler* scaler() { return scaler_.get(); }
  /// Of the last step: a scalar, float32, on the device, 0 or 1.
  [[nodiscard]] const torch::Tensor& found_inf() const { return found_inf_; }

 private:
  LossTerms watched_forward(const Views& views, StepProfile* profile);
  void update_weights(const LossTerms& terms, StepProfile* profile);
  /// Names the parameter whose gradient is the first, on the way back from the loss, that is not finite.
  void look_at_gradients();

  const TrainConfig& config_;
  const Runtime& runtime_;
  Relic& relic_;
  std::function<void(const std::string&)> tell_;
  ForwardOptions forward_;
  Adam adam_;
  std::unique_ptr<GradScaler> scaler_;  // float16 only
  RunningStatistics statistics_;
  torch::Tensor found_inf_;
  std::optional<SideStream> beside_;  // on a GPU, for the target's pass
};

}  // namespace relic
