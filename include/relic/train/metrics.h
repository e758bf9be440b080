// What is measured of a step, and the table it is written to.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "relic/core/file.h"
#include "relic/train/evaluation.h"

namespace relic {

struct StepMetrics {
  std::int64_t step = 0;   ///< steps done, this one included
  std::int64_t epoch = 0;  ///< from 1
  double loss = 0;
  double invariance_loss = 0;  ///< the KL term, before alpha
  double gamma = 0;            ///< target decay after this step
  double temperature = 0;      ///< exp(tau), the factor of the logits before its clamp
  double bias = 0;
  double learning_rate = 0;
  double top1 = 0;  ///< share of images whose other view is nearest, of the batch
  double top5 = 0;
  bool skipped = false;  ///< its loss or a gradient was not finite, so that no weight was changed
  double images_per_second = 0;
};

/// metrics.csv: one row a step and one an evaluation, appended.
class MetricsFile {
 public:
  /// Opens or creates the table; its first row brings the heading along.
  explicit MetricsFile(const std::filesystem::path& path);
  void append(const StepMetrics& metrics);
  /// What was found after `step`.
  void append(std::int64_t step, std::int64_t epoch, const Evaluation& evaluation);
  /// The scores on the test split, of the linear and the nearest-neighbour classifier, in [0, 1].
  void append_test_scores(std::int64_t step, std::int64_t epoch, double linear, double neighbours);
  [[nodiscard]] std::int64_t bytes() const { return static_cast<std::int64_t>(file_.size()); }

 private:
  void append_row(const std::string& row);

  AppendFile file_;
};

}  // namespace relic
