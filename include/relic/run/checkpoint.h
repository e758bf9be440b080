// The whole state of a training in one file.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "relic/core/error.h"
#include "relic/formats/state_dict.h"
#include "relic/run/run_directory.h"

namespace relic {

/// What else, besides tensors, tells where a training stands.
struct TrainProgress {
  std::int64_t step = 0;          ///< steps done, over all epochs
  double epoch_loss_sum = 0;      ///< of the steps of the current epoch
  double total_loss_sum = 0;      ///< of all steps
  std::int64_t epoch_losses = 0;  ///< losses in these sums: those that are not finite stay out
  std::int64_t total_losses = 0;
  std::int64_t evaluated_step = 0;  ///< the last step that was evaluated, 0: none
  std::int64_t tested_step = 0;     ///< the step whose encoder was scored on the test split, 0: none
  std::int64_t best_step = 0;       ///< that of the best encoder, 0: none
  double best_score = 0;            ///< its logistic regression's accuracy on held-out images
  std::int64_t skipped_steps = 0;   ///< those that overflowed float16 and so changed no weight
  std::int64_t skipped_in_a_row = 0;
  std::int64_t metrics_bytes = 0;  ///< length of metrics.csv at this step
};

/// Where a checkpoint was written: bitwise equality is promised where all of it is the same.
struct Origin {
  std::string machine;  ///< device and processor
  std::string build;    ///< versions of relic_train, LibTorch, CUDA and compiler
  std::int64_t compute_threads = 0;
};

/// All that a resume needs, on the CPU and independent of the live training. (Order, views, decay and random numbers
/// are functions of seed and step.)
struct Checkpoint {
  TrainProgress progress;
  std::string settings;      ///< the run's settings.toml
  std::string dataset_path;  ///< where the images were, absolute; settings.toml names no folder
  std::int64_t dataset_size = 0;
  std::uint64_t dataset_fingerprint = 0;  ///< see fingerprint.h; 0: not known
  Origin origin;
  std::string log_file;     ///< --log_file, absolute; empty: train.log in the run's directory
  StateDict model;          ///< as relic_model.pth
  StateDict first_moments;  ///< by parameter name
  StateDict second_moments;
  StateDict optimizer_steps;
  StateDict scaler;        ///< scale, growth_tracker; empty without a scaler
  StateDict best_encoder;  ///< as encoder_best.pth; empty: none, or written before a checkpoint held it
};

/// The first tensor that holds an infinity or a NaN, in words ("the weight NAME", "a first moment of NAME"); empty:
/// none does.
std::string first_not_finite(const Checkpoint& checkpoint);

/// Writes checkpoint.pth, whole or not at all. Each part of it carries a CRC-32, which read_checkpoint checks.
void write_checkpoint(const Checkpoint& checkpoint, const RunDirectory& run);
/// What encoder.pth holds of it.
StateDict encoder_of(const Checkpoint& checkpoint);
/// Which of the files that derive from a checkpoint: those of the best encoder change only when it does.
enum class Derived : std::uint8_t { all, all_but_best_encoder };
/// Writes relic_model.pth, encoder.pth and encoder_best.pth, each whatever became of the others; the last is removed
/// where no encoder was scored up to that step. Returns what failed, in words; empty: nothing.
std::string write_derived_files(const Checkpoint& checkpoint, const RunDirectory& run, Derived which = Derived::all);
/// Whether what a .pth file holds is such a file's contents, of whatever version.
bool is_checkpoint(const c10::IValue& contents);
/// A checkpoint that is missing, cut short, changed, or of another kind.
class DamagedCheckpoint : public Error {
 public:
  using Error::Error;
};

/// Throws DamagedCheckpoint; Error where it may not be read or is of a newer format. Each names the path.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace relic
