// A training before it starts: what is asked for, whether it can be had, and what it starts from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "command_line.h"
#include "relic/data/dataset.h"
#include "relic/nn/relic.h"
#include "relic/run/checkpoint.h"
#include "relic/run/kept_checkpoints.h"
#include "relic/run/run_directory.h"
#include "relic/train/runtime.h"

namespace relic {

/// What a run starts from, read before anything in its directory is replaced.
struct Start {
  std::optional<NewestCheckpoint> newest;  ///< --resume
  TrainConfig recorded;                    ///< its settings
  StateDict weights;                       ///< --ckpt_path

  [[nodiscard]] const Checkpoint* checkpoint() const { return newest ? &newest->checkpoint : nullptr; }
};

struct Plan {
  TrainConfig config;
  Runtime runtime;
  FoundDataset images;                      ///< to pretrain on
  std::optional<FoundDataset> test_split;   ///< where there are to be scores
  std::optional<FoundDataset> train_split;  ///< the labelled images for them, where `images` are others
  Start start;
};

/// Of one epoch.
inline std::int64_t steps_per_epoch(const Plan& plan) { return plan.images.size / plan.config.batch_size; }

/// Throws UsageError with everything that can be told to be wrong before an image is decoded, a line each; Error where
/// the checkpoint that the run goes on from cannot be read.
Plan make_plan(const CommandLine& line, const RunDirectory& run);

DatasetRequest request_of(const TrainConfig& config, Split split);

/// "2 global 32x32 and 4 local 13x13"
std::string views_text(const TrainConfig& config);

/// Data, model, steps and machine, a line each.
std::vector<std::string> plan_text(const Plan& plan, const Relic& relic);

}  // namespace relic
