// The training loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relic/core/log.h"
#include "relic/data/dataset.h"
#include "relic/nn/relic.h"
#include "relic/train/checkpoint.h"
#include "relic/train/checkpoint_writer.h"
#include "relic/train/config.h"
#include "relic/train/ema_schedule.h"
#include "relic/train/evaluation.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/metrics.h"
#include "relic/train/optimizer.h"
#include "relic/train/progress.h"
#include "relic/train/run_directory.h"
#include "relic/train/runtime.h"
#include "relic/train/step_profile.h"
#include "relic/train/step_queue.h"
#include "relic/train/train_step.h"
#include "relic/views/view_source.h"
#include "relic/views/view_spec.h"

namespace relic {

class GraphedStep;
class RunningStatistics;

/// What the settings mean for the networks, the views and the forward pass.
RelicOptions relic_options(const TrainConfig& config);
MultiCropSpec view_options(const TrainConfig& config);
/// Side of a global view, and of the images that are scored, in pixels.
int image_size(const TrainConfig& config);
ForwardOptions forward_options(const TrainConfig& config, const Runtime& runtime);

/// The networks as a run with these settings starts them: a function of the seed.
std::unique_ptr<Relic> initial_relic(const TrainConfig& config, const torch::Device& device);

/// One training over a data set, from its start or from a checkpoint.
///
///     Trainer trainer(config, runtime, dataset, run, log);
///     trainer.run([] { return interrupted; });
class Trainer {
 public:
  /// `left_out`: see ViewSourceOptions.
  Trainer(TrainConfig config, Runtime runtime, const Dataset& dataset, RunDirectory run, Log& log,
          std::function<void(const BadImage&)> left_out = {});
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Starts from these weights instead of random ones (`--ckpt_path`).
  void load_weights(const StateDict& weights, const std::string& where);
  /// Goes on where a checkpoint stood, and cuts metrics.csv back to it.
  void resume(const Checkpoint& checkpoint);
  /// Evaluates every `eval_every_n_steps` steps and after the last one: told in the log, written to metrics.csv, and
  /// the encoder that is best on held-out images kept as encoder_best.pth. The weights end up as they would without.
  void evaluate_with(const Evaluator& evaluator) { evaluator_ = &evaluator; }
  /// Saves the state before the first step: from then on the run can be resumed, whenever its process ends, and what it
  /// starts from (--ckpt_path, an older run in its directory) is needed no more. Throws Error where that fails.
  void save_start();

  enum class Outcome { finished, interrupted };
  /// Trains until the last epoch, `max_steps`, or until `stop` (asked after each step) says so; saves in each case. A
  /// run that has ended is evaluated where it was not. Throws Error where a loss, gradient or weight is not finite, in
  /// float16 at ten steps in a row, and writes the batch to not_finite.txt; the last checkpoint stays as it is, since
  /// weights that give such a loss give it again.
  Outcome run(const std::function<bool()>& stop);

  /// Writes the scores of the encoder as it is to metrics.csv, and saves that it has them.
  void record_test_scores(double linear, double neighbours);
  [[nodiscard]] bool has_test_scores() const { return progress_.tested_step == progress_.step; }

  /// Logs where the time goes of `steps` steps, after a few that warm up.
  void profile(std::int64_t steps);

  Relic& relic() { return *relic_; }
  [[nodiscard]] std::int64_t steps_done() const { return progress_.step; }
  [[nodiscard]] std::int64_t last_step() const;
  [[nodiscard]] std::int64_t steps_per_epoch() const { return steps_per_epoch_; }

 private:
  /// Those of the steps from here to `last`.
  std::unique_ptr<ViewSource> open_views(std::int64_t last);
  void prepare_graph();
  void train_step(const Views& views);
  torch::Tensor forward_and_update(const Views& views, StepProfile* profile);
  /// Under --detect_anomaly, throws NotFinite.
  LossTerms watched_forward(const Views& views, StepProfile* profile);
  void update_weights(const LossTerms& terms, StepProfile* profile);
  /// The parameter whose gradient is the first, on the way back from the loss, that is not finite; else empty.
  [[nodiscard]] std::string first_infinite_gradient() const;
  void after_step(bool ends);
  void record(const std::vector<StepMetrics>& steps);
  /// Counts a step that float16 skipped; stops where there were too many, or any without a gradient scaler.
  void judge(const StepMetrics& metrics);
  struct MeanLosses {
    double epoch = 0;
    double total = 0;
  };
  /// Means over the steps so far, this one's loss included.
  MeanLosses add_loss(const StepMetrics& metrics);
  [[noreturn]] void stop_at(std::int64_t step, const std::string& what);
  [[nodiscard]] bool ends_epoch(std::int64_t steps_done) const { return steps_done % steps_per_epoch_ == 0; }
  [[nodiscard]] bool evaluation_is_due() const;
  void evaluate();
  void keep_if_best(const Evaluation& evaluation);
  void report_profile();
  [[nodiscard]] std::int64_t epoch_of(std::int64_t steps_done) const;
  /// Calls `append`, of `step`, whose failure is told once.
  void append_metrics(std::int64_t step, const std::function<void()>& append);
  Checkpoint checkpoint();
  void save(bool also_wait);
  [[nodiscard]] std::string how_to_go_on();

  TrainConfig config_;
  Runtime runtime_;
  const Dataset& dataset_;
  RunDirectory run_;
  Log& log_;
  std::function<void(const BadImage&)> left_out_;
  std::int64_t steps_per_epoch_;
  ForwardOptions forward_;
  EmaSchedule schedule_;
  std::unique_ptr<Relic> relic_;
  std::unique_ptr<Adam> adam_;
  std::unique_ptr<GradScaler> scaler_;             // float16 only
  std::unique_ptr<RunningStatistics> statistics_;  // with it
  torch::Tensor found_inf_;  // of the last step, scalar float32 on the device; the scaler's, if there is one
  TrainProgress progress_;
  std::unique_ptr<MetricsFile> metrics_;
  std::unique_ptr<ProgressLine> line_;
  std::unique_ptr<StepProfile> profile_;  // until it has been reported
  StepQueue queue_;
  std::unique_ptr<GraphedStep> graph_;
  const Evaluator* evaluator_ = nullptr;
  CheckpointWriter writer_;
  double last_save_seconds_ = 0;
  bool metrics_failed_ = false;
};

}  // namespace relic
