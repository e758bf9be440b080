#include "train/step_recorder.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>

#include "relic/core/error.h"
#include "relic/core/text.h"

namespace relic {

namespace {
constexpr std::int64_t kMostSkippedInARow = 10;
}  // namespace

StepRecorder::StepRecorder(const TrainConfig& config, const Epochs& epochs, std::int64_t last_step,
                           const RunDirectory& run, const GradScaler* scaler, TrainProgress& progress, Log& log)
    : config_(config),
      epochs_(epochs),
      scaler_(scaler),
      progress_(progress),
      log_(log),
      table_(run.metrics()),
      line_(log, {progress.step, last_step, epochs.steps, config.num_epochs, config.batch_size, config.alpha}) {}

void StepRecorder::judge(const StepMetrics& metrics) {
  const bool finite = std::isfinite(metrics.loss);
  if (finite && !metrics.skipped) {
    progress_.skipped_in_a_row = 0;
    return;
  }
  const std::string numbers = ": loss " + shortest(metrics.loss) + ", contrast " +
                              shortest(metrics.loss - config_.alpha * metrics.invariance_loss) + ", invariance " +
                              shortest(metrics.invariance_loss) + ", learning rate " + shortest(config_.learning_rate);
  if (scaler_ == nullptr) {
    throw FailedStep(metrics.step, std::string(finite ? "a gradient" : "the loss") + " is not finite" + numbers);
  }
  ++progress_.skipped_steps;
  if (++progress_.skipped_in_a_row >= kMostSkippedInARow) {
    throw FailedStep(metrics.step, "float16 overflowed at " + std::to_string(kMostSkippedInARow) + " steps in a row" +
                                       numbers + ", loss scale " + shortest(scaler_->scale.item<double>()));
  }
  if (progress_.skipped_steps == 1) {
    log_.info("step " + std::to_string(metrics.step) +
              ": float16 overflowed, so the step is skipped and the loss scale halved; common at the start");
  }
}

void StepRecorder::record(const std::vector<StepMetrics>& steps) {
  if (steps.empty()) {
    return;
  }
  const double images_per_second = line_.count_steps(static_cast<std::int64_t>(steps.size()));
  for (StepMetrics metrics : steps) {
    judge(metrics);
    metrics.images_per_second = images_per_second;
    const auto [epoch_loss, total_loss] = add_loss(metrics);
    append_row(metrics.step, [&] { table_.append(metrics); });
    line_.show(metrics, epoch_loss, total_loss);
    if (metrics.step % config_.log_every_n_steps == 0) {
      const auto skipped = progress_.skipped_steps;
      log_.info("step " + std::to_string(metrics.step) + ": instance top-1 " + fixed(100 * metrics.top1, 1) +
                " %, top-5 " + fixed(100 * metrics.top5, 1) + " %" +
                (skipped == 0 ? "" : ", skipped steps so far: " + std::to_string(skipped)));
    }
    if (epochs_.end_at(metrics.step)) {
      log_.info("epoch " + std::to_string(metrics.epoch) + " of " + std::to_string(config_.num_epochs) +
                ": mean loss " + fixed(epoch_loss, 4) + ", " + fixed(line_.images_per_second_of_epoch(), 1) +
                " images/s");
    }
  }
}

StepRecorder::MeanLosses StepRecorder::add_loss(const StepMetrics& metrics) {
  if (epochs_.position(metrics.step) == 1) {
    progress_.epoch_loss_sum = 0;
    progress_.epoch_losses = 0;
  }
  if (std::isfinite(metrics.loss)) {
    progress_.epoch_loss_sum += metrics.loss;
    progress_.total_loss_sum += metrics.loss;
    ++progress_.epoch_losses;
    ++progress_.total_losses;
  }
  const auto mean = [](double sum, std::int64_t count) {
    return sum / static_cast<double>(std::max<std::int64_t>(count, 1));
  };
  return {mean(progress_.epoch_loss_sum, progress_.epoch_losses),
          mean(progress_.total_loss_sum, progress_.total_losses)};
}

void StepRecorder::record(std::int64_t step, const Evaluation& evaluation) {
  append_row(step, [&] { table_.append(step, epochs_.of(step), evaluation); });
}

void StepRecorder::record_test_scores(std::int64_t step, double linear, double neighbours) {
  append_row(step, [&] { table_.append_test_scores(step, epochs_.of(step), linear, neighbours); });
}

void StepRecorder::append_row(std::int64_t step, const std::function<void()>& append) {
  try {
    append();
    failed_ = false;
  } catch (const Error& error) {  // a full disk costs rows of a table, not the training
    if (!failed_) {
      log_.warning(std::string(error.what()) + "; rows are missing there from step " + std::to_string(step) + " on");
    }
    failed_ = true;
  }
}

}  // namespace relic
