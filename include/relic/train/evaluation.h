// How good the encoder is while it is trained.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relic/data/dataset.h"
#include "relic/eval/collapse.h"
#include "relic/eval/scores.h"
#include "relic/eval/watch.h"
#include "relic/nn/relic.h"
#include "relic/train/config.h"
#include "relic/train/runtime.h"

namespace relic {

/// Scores of an encoder's frozen features on held-out training images.
struct HeldOutScores {
  Accuracy neighbours;  ///< k = 200, temperature 0.1, cosine
  Accuracy linear;      ///< logistic regression, C = 1, at most 100 iterations, as the original's
};

struct Evaluation {
  std::optional<HeldOutScores> held_out;  ///< where there are labels
  CollapseSigns signs;
};

/// Looks at the target network in eval mode and float32, always with the same images and views, a function of the seed.
/// The network, the training's random numbers and its precision are left as they were.
class Evaluator {
 public:
  /// `images` are those that are trained on, `labelled` those of the labelled training split (null: none), of which a
  /// tenth, chosen by the seed, is held out and scored; the classifiers see the others. At most 5,000 of each are used.
  Evaluator(const TrainConfig& config, const Runtime& runtime, const Dataset& images, const Dataset* labelled,
            Watch watch);

  /// Of the labelled images, those that are scored and those that the classifiers see.
  [[nodiscard]] const std::vector<std::int64_t>& held_out() const { return held_out_; }
  [[nodiscard]] const std::vector<std::int64_t>& fitted() const { return fitted_; }

  /// Throws Interrupted where the watch says so.
  [[nodiscard]] Evaluation evaluate(Relic& relic) const;

 private:
  [[nodiscard]] HeldOutScores score(Encoder& encoder) const;

  int image_size_;
  torch::Device device_;
  const Dataset& images_;
  const Dataset* labelled_;
  Watch watch_;
  CollapseOptions collapse_;
  std::vector<std::int64_t> held_out_;  // of labelled
  std::vector<std::int64_t> fitted_;
};

/// What it found, a line each.
std::vector<std::string> evaluation_text(const Evaluation& evaluation);
/// What to warn of, if the target's representations of different images hardly differ; else empty.
std::string collapse_warning(const CollapseSigns& signs);

}  // namespace relic
