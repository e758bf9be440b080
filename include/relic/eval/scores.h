// How good features are: accuracy of simple classifiers on them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

#include "relic/eval/features.h"
#include "relic/eval/watch.h"

namespace relic {

/// A share and the ends of its interval: "46.2 % (44.0 to 48.4)".
std::string interval_text(double value, double low, double high);

/// Correct answers out of `total`, with the Wilson score interval (Wilson 1927).
struct Accuracy {
  std::int64_t correct = 0;
  std::int64_t total = 0;

  [[nodiscard]] double value() const {
    return total == 0 ? 0.0 : static_cast<double>(correct) / static_cast<double>(total);
  }
  /// Ends of the 95 % interval, in [0, 1].
  [[nodiscard]] double low() const;
  [[nodiscard]] double high() const;
  [[nodiscard]] std::string text() const;  ///< see interval_text
};

/// For each test image the votes for each class, [N, classes] float64, up to a factor of its own.
torch::Tensor knn_votes(const Features& train, const Features& test, std::int64_t classes, std::int64_t k = 200,
                        double temperature = 0.1);

/// Weighted k-nearest-neighbour vote by cosine similarity, weights exp(similarity / temperature) (Wu et al. 2018,
/// arXiv 1805.01978, section 3.4). k is limited to the number of training features.
Accuracy knn_accuracy(const Features& train, const Features& test, std::int64_t classes, std::int64_t k = 200,
                      double temperature = 0.1);

struct LogisticRegressionOptions {
  double c = 1.0;  ///< inverse strength of the L2 penalty on the weights (not the intercepts), as scikit-learn's C
  std::int64_t max_iterations = 1000;
  /// Largest entry of the gradient of scikit-learn's objective, which is that below divided by C and the number of
  /// images. scikit-learn's own tolerance, 1e-4, can leave coefficients wrong in their first digit.
  double tolerance = 1e-6;
  torch::Device device = torch::kCPU;  ///< where it is fitted
  Watch watch{};
};

/// Multinomial logistic regression, as scikit-learn's LogisticRegression: minimises C·Σ cross entropy + ½‖W‖² by L-BFGS
/// in float64.
struct LogisticRegression {
  torch::Tensor weight;     // [classes, D] float64
  torch::Tensor intercept;  // [classes] float64
  std::int64_t iterations = 0;
  bool converged = false;
};
LogisticRegression fit_logistic_regression(const Features& train, std::int64_t classes,
                                           const LogisticRegressionOptions& options = {});
/// For each image the score of each class (log of its odds, up to a term of the image's own), [N, classes] float64.
torch::Tensor linear_scores(const LogisticRegression& model, const Features& test);
Accuracy linear_accuracy(const LogisticRegression& model, const Features& test);

}  // namespace relic
