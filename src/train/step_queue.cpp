#include "relic/train/step_queue.h"

#include <torch/torch.h>

#include <cmath>
#include <utility>

#include "views/device_streams.h"

namespace relic {

namespace {

constexpr std::size_t kMostUnderWay = 16;
constexpr std::int64_t kMeasured = 7;

}  // namespace

torch::Tensor measure_step(const LossTerms& terms, const Relic& relic, const torch::Tensor& found_inf) {
  const torch::NoGradGuard no_grad;
  return torch::stack({terms.loss, terms.invariance, relic.log_temperature, relic.bias, instance_top_k(terms.logits, 1),
                       instance_top_k(terms.logits, 5), found_inf})
      .to(torch::kFloat);
}

StepQueue::StepQueue(const torch::Device& device)
    : device_(device),
      slots_(torch::empty({static_cast<std::int64_t>(kMostUnderWay), kMeasured},
                          torch::TensorOptions().pinned_memory(!device.is_cpu()))) {}

void StepQueue::push(const StepMetrics& known, const torch::Tensor& measured) {
  Step step{known, next_slot_, std::nullopt};
  next_slot_ = (next_slot_ + 1) % kMostUnderWay;
  slots_[static_cast<std::int64_t>(step.slot)].copy_(measured, /*non_blocking=*/true);
  if (!device_.is_cpu()) {
    step.done.emplace(device_.type());
    step.done->record(current_stream(device_));
  }
  under_way_.push_back(std::move(step));
}

StepMetrics StepQueue::take_oldest() {
  const Step& step = under_way_.front();
  if (step.done) step.done->synchronize();
  const float* const measured = slots_.const_data_ptr<float>() + kMeasured * static_cast<std::int64_t>(step.slot);
  StepMetrics metrics = step.metrics;
  metrics.loss = measured[0];
  metrics.invariance_loss = measured[1];
  metrics.temperature = std::exp(static_cast<double>(measured[2]));
  metrics.bias = measured[3];
  metrics.top1 = measured[4];
  metrics.top5 = measured[5];
  metrics.skipped = measured[6] != 0;
  under_way_.pop_front();
  return metrics;
}

std::vector<StepMetrics> StepQueue::arrived() {
  std::vector<StepMetrics> steps;
  while (!under_way_.empty() &&
         (under_way_.size() == kMostUnderWay || !under_way_.front().done || under_way_.front().done->query())) {
    steps.push_back(take_oldest());
  }
  return steps;
}

std::vector<StepMetrics> StepQueue::all() {
  std::vector<StepMetrics> steps;
  while (!under_way_.empty()) steps.push_back(take_oldest());
  return steps;
}

}  // namespace relic
