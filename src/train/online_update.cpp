#include "train/online_update.h"

#include <torch/torch.h>

#include <cmath>
#include <utility>

#include "relic/nn/layer_watch.h"
#include "relic/train/options.h"
#include "relic/train/step_queue.h"
#include "train/device_math.h"

namespace relic {

namespace {

AdamOptions adam_options(const TrainConfig& config) {
  AdamOptions options;
  options.learning_rate = config.learning_rate;
  options.weight_decay = config.weight_decay;
  return options;
}

}  // namespace

OnlineUpdate::OnlineUpdate(const TrainConfig& config, const Runtime& runtime, Relic& relic,
                           std::function<void(const std::string&)> tell)
    : config_(config),
      runtime_(runtime),
      relic_(relic),
      tell_(std::move(tell)),
      forward_(forward_options(config, runtime)),
      adam_(relic.trained_parameters(), adam_options(config)),
      statistics_(relic),
      found_inf_(torch::zeros({}, torch::TensorOptions(runtime.device))) {
  if (runtime.scales_loss) {
    scaler_ = std::make_unique<GradScaler>(runtime.device);
  }
  if (runtime.device.is_cuda()) {
    beside_.emplace(runtime.device);
  }
}

torch::Tensor OnlineUpdate::run(const Views& views, StepProfile* profile) {
  const DeviceMathScope math(device_math(config_, runtime_));
  statistics_.remember();
  const auto terms = watched_forward(views, profile);
  update_weights(terms, profile);
  statistics_.restore_where(found_inf_);
  return measure_step(terms, relic_, found_inf_);
}

LossTerms OnlineUpdate::watched_forward(const Views& views, StepProfile* profile) {
  std::optional<LayerWatch> watch;
  if (config_.detect_anomaly) {
    watch.emplace(relic_);
  }
  // One after the other where each part's time, or the first layer that goes wrong, is asked for.
  SideStream* const beside = beside_ && profile == nullptr && !watch ? &*beside_ : nullptr;
  auto terms = forward_views(relic_, views, config_.batch_size, forward_, profile, beside);
  if (watch && !std::isfinite(terms.loss.item<double>())) {
    throw NotFinite("the loss is not finite, of projections that are");
  }
  return terms;
}

void OnlineUpdate::look_at_gradients() {
  const auto parameters = relic_.named_parameters();
  for (auto item = parameters.end(); item != parameters.begin();) {  // backward: the way of the gradient
    --item;
    const auto& gradient = item->value().grad();
    if (!gradient.defined() || torch::isfinite(gradient).all().item<bool>()) {
      continue;
    }
    if (!scaler_) {
      throw NotFinite("the gradient of " + item->key() + " is not finite, of a loss that is");
    }
    tell_("the gradient of " + item->key() + " overflows");
    return;
  }
}

void OnlineUpdate::update_weights(const LossTerms& terms, StepProfile* profile) {
  adam_.zero_grad();
  enter(profile, StepPart::backward);
  (scaler_ ? scaler_->scaled(terms.loss) : terms.loss).backward();
  enter(profile, StepPart::optimizer);
  if (config_.detect_anomaly) {
    look_at_gradients();
  }
  find_infinities(terms.loss, adam_, found_inf_);
  if (scaler_) {
    scaler_->step(adam_, found_inf_);
  } else {
    adam_.step({}, found_inf_);
  }
}

}  // namespace relic
