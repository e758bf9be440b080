// The whole state of a training in one file.
#pragma once

#include <ATen/core/ivalue.h>
#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "relic/nn/relic.h"
#include "relic/nn/state_dict.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/optimizer.h"
#include "relic/train/run_directory.h"

namespace relic {

/// What else, besides tensors, tells where a training stands.
struct TrainProgress {
  std::int64_t step = 0;            ///< steps done, over all epochs
  double epoch_loss_sum = 0;        ///< of the steps of the current epoch
  double total_loss_sum = 0;        ///< of all steps
  std::int64_t evaluated_step = 0;  ///< the last step that was evaluated, 0: none
  std::int64_t tested_step = 0;     ///< the step whose encoder was scored on the test split, 0: none
  std::int64_t best_step = 0;       ///< that of encoder_best.pth, 0: none
  double best_score = 0;            ///< its logistic regression's accuracy on held-out images
  std::int64_t metrics_bytes = 0;   ///< length of metrics.csv at this step
  std::int64_t log_bytes = 0;       ///< length of the log at this step
};

/// All that a resume needs, on the CPU and independent of the live training. (Order, views, decay and random numbers
/// are functions of seed and step.)
struct Checkpoint {
  TrainProgress progress;
  std::string settings;      ///< the run's settings.toml
  std::string dataset_path;  ///< where the images were, absolute; settings.toml names no folder
  std::int64_t dataset_size = 0;
  std::string log_file;     ///< --log_file, absolute; empty: train.log in the run's directory
  StateDict model;          ///< as relic_model.pth
  StateDict first_moments;  ///< by parameter name
  StateDict second_moments;
  StateDict optimizer_steps;
  StateDict scaler;  ///< scale, growth_tracker; empty without a scaler
};

/// Copies the live state. `scaler` may be null.
Checkpoint take_checkpoint(const Relic& relic, const Adam& adam, const GradScaler* scaler);
/// Whether no tensor of it holds an infinity or a NaN.
bool is_finite(const Checkpoint& checkpoint);
/// Copies a checkpoint's tensors into the live state. Throws Error naming `where` if they do not fit.
void restore_checkpoint(const Checkpoint& checkpoint, Relic& relic, Adam& adam, GradScaler* scaler,
                        const std::string& where);

/// Writes checkpoint.pth, then relic_model.pth and encoder.pth, which derive from it; each whole or not at all.
void write_checkpoint(const Checkpoint& checkpoint, const RunDirectory& run);
/// relic_model.pth and encoder.pth alone.
void write_model_files(const Checkpoint& checkpoint, const RunDirectory& run);
/// Whether what a .pth file holds is such a file's contents, of whatever version.
bool is_checkpoint(const c10::IValue& contents);
/// Throws Error with the path where the file is damaged, no checkpoint of ours, or of a newer format.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace relic
