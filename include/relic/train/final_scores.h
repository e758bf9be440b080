// What a training was good for: the trained target encoder's scores beside those of the untrained one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relic/data/dataset.h"
#include "relic/eval/probe.h"
#include "relic/eval/watch.h"
#include "relic/nn/encoder.h"
#include "relic/train/config.h"
#include "relic/train/runtime.h"

namespace relic {

/// Probes an encoder: labelled `train` images against labelled `test` images.
ProbeResult score_encoder(Encoder& encoder, const Dataset& train, const Dataset& test, const TrainConfig& config,
                          const Runtime& runtime, const Watch& watch);

/// Scores the target encoder that a run with these settings starts from, with BatchNorm's running statistics of
/// `train`'s images: trained weights come with statistics too, and what they gain is to be told apart from what
/// learning gains.
ProbeResult score_untrained(const Dataset& train, const Dataset& test, const TrainConfig& config,
                            const Runtime& runtime, const Watch& watch);

/// The lines that a run ends with: a small table of both encoders' scores and the gain, with 95 % intervals.
std::vector<std::string> score_table(const ProbeResult& untrained, const ProbeResult& trained,
                                     const TrainConfig& config, std::int64_t classes);

}  // namespace relic
