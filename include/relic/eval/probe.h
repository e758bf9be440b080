// What frozen features are good for, in full: a linear and a nearest-neighbour classifier, class by class.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "relic/eval/features.h"
#include "relic/eval/scores.h"
#include "relic/eval/watch.h"

namespace relic {

struct ProbeOptions {
  double c = 1.0;  ///< see LogisticRegressionOptions
  std::int64_t max_iterations = 1000;
  bool standardize = false;  ///< features to mean 0 and variance 1 over the training images, for the linear classifier
  std::int64_t k = 200;
  double temperature = 0.1;
  std::uint64_t seed = 42;             ///< of the bootstrap
  torch::Device device = torch::kCPU;  ///< where the logistic regression is fitted
  Watch watch{};                       ///< of its parts, told as "training images, 256 of 5000"
};

/// How a classifier did on the test images.
struct ClassifierScores {
  std::int64_t total = 0;
  double top1 = 0;
  double top5 = 0;  ///< of five or fewer classes 1
  double low = 0;   ///< ends of top1's 95 % interval: bootstrap over the test images, 2,000 times
  double high = 0;
  torch::Tensor confusion;  ///< [classes, classes] int64: how many of class i (row) were called j

  /// "46.2 % (44.0 to 48.4)", top-1 and its interval.
  [[nodiscard]] std::string top1_text() const;
};

struct ProbeResult {
  std::int64_t train_images = 0;  ///< that the classifiers were fitted on
  ClassifierScores linear;
  ClassifierScores neighbours;
  double fit_seconds = 0;   ///< that the logistic regression took to fit
  LogisticRegression head;  ///< takes features as they are: standardizing is part of its weights
};

/// Scores of one classifier from a score for each image and class, [N, classes], and labels [N]. Equal scores go to the
/// lowest class.
ClassifierScores classifier_scores(const torch::Tensor& scores, const torch::Tensor& labels, std::uint64_t seed);

/// Fits and scores both classifiers. Throws Error for features that are not finite or labels out of range.
ProbeResult probe_features(const Features& train, const Features& test, std::int64_t classes,
                           const ProbeOptions& options = {});

/// Probes an encoder, which lies on the options' device: its frozen features of a data set's labelled images; see
/// extract_features.
ProbeResult probe_encoder(Encoder& encoder, const Dataset& train, const Dataset& test, int image_size,
                          const ProbeOptions& options = {});

}  // namespace relic
