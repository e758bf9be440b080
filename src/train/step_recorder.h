// Where what is measured of a training goes: metrics.csv, the log, and the running means.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "relic/core/log.h"
#include "relic/nn/layer_watch.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "relic/train/config.h"
#include "relic/train/epochs.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/metrics.h"
#include "relic/train/progress.h"

namespace relic {

/// The step after which a training cannot go on, and what happened in it.
class FailedStep : public NotFinite {
 public:
  FailedStep(std::int64_t at_step, const std::string& what) : NotFinite(what), step(at_step) {}
  std::int64_t step;
};

class StepRecorder {
 public:
  /// `scaler`: null where the loss is not scaled, so that no step may be skipped. All that is referred to outlives it.
  StepRecorder(const TrainConfig& config, const Epochs& epochs, std::int64_t last_step, const RunDirectory& run,
               const GradScaler* scaler, TrainProgress& progress, Log& log);

  /// Steps that are done, oldest first. Throws FailedStep at the first whose loss or gradients are not finite; under a
  /// scaler, which skips and counts those, at the tenth in a row.
  void record(const std::vector<StepMetrics>& steps);
  void record(std::int64_t step, const Evaluation& evaluation);
  void record_test_scores(std::int64_t step, double linear, double neighbours);
  /// The time since the last step was none of training.
  void skip_time() { line_.skip_time(); }
  /// Of metrics.csv.
  [[nodiscard]] std::int64_t table_bytes() const { return table_.bytes(); }

 private:
  void judge(const StepMetrics& metrics);
  struct MeanLosses {
    double epoch = 0;
    double total = 0;
  };
  /// Means over the steps so far, this one's loss included.
  MeanLosses add_loss(const StepMetrics& metrics);
  /// Calls `append`, of `step`, whose failure is told once.
  void append_row(std::int64_t step, const std::function<void()>& append);

  const TrainConfig& config_;
  Epochs epochs_;
  const GradScaler* scaler_;
  TrainProgress& progress_;
  Log& log_;
  MetricsFile table_;
  ProgressLine line_;
  bool failed_ = false;  // the last row could not be written
};

}  // namespace relic
