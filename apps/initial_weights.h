// The weights that a new run starts from, by --ckpt_path.
#pragma once

#include "relic/nn/state_dict.h"
#include "relic/train/config.h"

namespace relic {

/// Reads the file and sees that it fits the model that the settings ask for. Throws UsageError with what it is instead
/// and, where the file is another of a run's, with the one to name.
StateDict read_initial_weights(const TrainConfig& config);

}  // namespace relic
