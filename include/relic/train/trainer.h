// The training loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relic/core/log.h"
#include "relic/data/dataset.h"
#include "relic/nn/relic.h"
#include "relic/run/checkpoint.h"
#include "relic/run/checkpoint_writer.h"
#include "relic/run/run_directory.h"
#include "relic/train/config.h"
#include "relic/train/ema_schedule.h"
#include "relic/train/epochs.h"
#include "relic/train/evaluation.h"
#include "relic/train/runtime.h"
#include "relic/train/step_profile.h"
#include "relic/train/step_queue.h"
#include "relic/views/view_source.h"

namespace relic {

class GraphedStep;
class OnlineUpdate;
class StepRecorder;

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
  /// For images other than those that it was chosen by: from here on the first encoder that is scored is the best one.
  void forget_best_encoder();
  /// relic_model.pth and what else derives from the checkpoint that the run goes on from.
  void write_derived_files_of(const Checkpoint& checkpoint) { writer_.write_derived_files_of(checkpoint); }
  /// In words: those that the last save could not write; empty: it could.
  [[nodiscard]] const std::string& not_derived() const { return writer_.not_derived(); }
  /// Evaluates every `eval_every_n_steps` steps and after the last one: told in the log, written to metrics.csv, and
  /// the encoder that is best on held-out images saved with the next checkpoint, as encoder_best.pth. The weights end
  /// up as they would without.
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
  /// Of its images.
  [[nodiscard]] std::uint64_t dataset_fingerprint() const { return dataset_fingerprint_; }
  [[nodiscard]] std::int64_t steps_done() const { return progress_.step; }
  [[nodiscard]] std::int64_t last_step() const;
  /// That of the best encoder on held-out images, 0: none was scored.
  [[nodiscard]] std::int64_t best_step() const { return progress_.best_step; }
  [[nodiscard]] std::int64_t steps_per_epoch() const { return epochs_.steps; }

 private:
  /// Those of the steps from here to `last`.
  std::unique_ptr<ViewSource> open_views(std::int64_t last);
  void prepare_graph();
  /// All steps and evaluations up to `last`, or until `stop` says so. Throws FailedStep.
  Outcome train(ViewSource& views, std::int64_t last, const std::function<bool()>& stop);
  void train_step(const Views& views);
  void after_step(bool ends);
  [[noreturn]] void stop_at(std::int64_t step, const std::string& what);
  [[nodiscard]] bool evaluation_is_due() const;
  void evaluate();
  void tell(const Evaluation& evaluation);
  void keep_if_best(const Evaluation& evaluation);
  void report_profile();
  Checkpoint checkpoint();
  void save(bool also_wait);
  [[nodiscard]] std::string how_to_go_on();

  TrainConfig config_;
  Runtime runtime_;
  const Dataset& dataset_;
  RunDirectory run_;
  Log& log_;
  std::function<void(const BadImage&)> left_out_;
  Epochs epochs_;
  std::uint64_t dataset_fingerprint_;
  EmaSchedule schedule_;
  std::unique_ptr<Relic> relic_;
  std::unique_ptr<OnlineUpdate> online_;
  TrainProgress progress_;
  StateDict best_encoder_;                  // of the evaluation with the best score, on the CPU
  std::unique_ptr<StepRecorder> recorder_;  // from the start of `run` on
  std::unique_ptr<StepProfile> profile_;    // until it has been reported
  StepQueue queue_;
  std::unique_ptr<GraphedStep> graph_;
  const Evaluator* evaluator_ = nullptr;
  CheckpointWriter writer_;
  double last_save_seconds_ = 0;
};

}  // namespace relic
