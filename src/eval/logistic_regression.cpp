#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>

#include "eval/check_features.h"
#include "eval/lbfgs.h"
#include "relic/core/error.h"
#include "relic/eval/scores.h"

namespace relic {
namespace {

constexpr std::int64_t kRows = 1024;  // a block in float64 that stays in the cache between its two products

/// scikit-learn's objective divided by C·N: mean cross entropy + ‖W‖²/(2·C·N), of parameters [classes, D + 1] whose
/// last column is the intercepts.
class Objective {
 public:
  Objective(const Features& train, std::int64_t classes, double c, const torch::Device& device)
      : x_(train.x.to(device)),
        labels_(train.labels.to(device)),
        classes_(classes),
        penalty_(1 / (c * static_cast<double>(x_.size(0)))) {}

  [[nodiscard]] Evaluation evaluate(const torch::Tensor& parameters) const {
    torch::Tensor gradient = torch::zeros_like(parameters);
    double loss = 0;
    for (std::int64_t begin = 0; begin < x_.size(0); begin += kRows) {
      const torch::Tensor rows = block(begin);
      const torch::Tensor labels = labels_.slice(0, begin, begin + kRows).unsqueeze(1);
      torch::Tensor residual = at::log_softmax(at::mm(rows, parameters.t()), 1);
      loss -= residual.gather(1, labels).sum().item<double>();
      residual.exp_().scatter_add_(1, labels, at::full_like(labels, -1, rows.options()));
      gradient.addmm_(residual.t(), rows);
    }
    const auto n = static_cast<double>(x_.size(0));
    const torch::Tensor weight = parameters.slice(1, 0, x_.size(1));
    gradient.div_(n).slice(1, 0, x_.size(1)).add_(weight, penalty_);
    return {.value = loss / n + penalty_ / 2 * weight.square().sum().item<double>(), .gradient = gradient};
  }

  /// Cholesky factor of the Hessian's block for one class, averaged over the classes, on a sample of the rows:
  /// [D + 1, D + 1]. With it, features of very different scales, or that say nearly the same, cost few iterations more
  /// than others.
  [[nodiscard]] torch::Tensor curvature(const torch::Tensor& parameters) const {
    const std::int64_t dim = x_.size(1);
    const std::int64_t stride = std::max<std::int64_t>(1, x_.size(0) / (kRowsPerDimension * dim));
    const torch::Tensor sample = x_.slice(0, 0, x_.size(0), stride);
    torch::Tensor hessian = at::zeros({dim + 1, dim + 1}, parameters.options());
    for (std::int64_t begin = 0; begin < sample.size(0); begin += kRows) {
      const torch::Tensor rows = with_ones(sample.slice(0, begin, begin + kRows));
      const torch::Tensor share = at::softmax(at::mm(rows, parameters.t()), 1);
      const torch::Tensor spread = (share * (1 - share)).sum(1, /*keepdim=*/true);
      hessian.addmm_(rows.t(), rows * spread);
    }
    hessian.div_(static_cast<double>(sample.size(0)) * static_cast<double>(classes_));
    torch::Tensor diagonal = hessian.diagonal();
    diagonal.slice(0, 0, dim).add_(penalty_);
    diagonal.add_(1e-10 * diagonal.max());
    const auto [factor, info] = at::linalg_cholesky_ex(hessian);
    return info.item<std::int64_t>() == 0 ? factor : hessian.diagonal().sqrt().diag();
  }

 private:
  static constexpr std::int64_t kRowsPerDimension = 8;

  static torch::Tensor with_ones(const torch::Tensor& rows) {
    return at::cat({rows.to(torch::kDouble), at::ones({rows.size(0), 1}, rows.options().dtype(torch::kDouble))}, 1);
  }
  [[nodiscard]] torch::Tensor block(std::int64_t begin) const { return with_ones(x_.slice(0, begin, begin + kRows)); }

  torch::Tensor x_;
  torch::Tensor labels_;
  std::int64_t classes_;
  double penalty_;
};

}  // namespace

LogisticRegression fit_logistic_regression(const Features& train, std::int64_t classes,
                                           const LogisticRegressionOptions& options) {
  check_features(train, classes, "training");
  if (!(options.c > 0) || !(options.tolerance > 0) || options.max_iterations < 0) {
    throw UsageError("logistic regression needs C and the tolerance above 0 and no negative number of iterations");
  }
  const at::NoGradGuard no_grad;
  const std::int64_t dim = train.x.size(1);
  const Objective objective(train, classes, options.c, options.device);
  const auto precondition = [&](const torch::Tensor& point) -> Preconditioner {
    return [factor = objective.curvature(point)](const torch::Tensor& gradient) {
      return at::cholesky_solve(gradient.t(), factor).t().contiguous();
    };
  };
  std::int64_t evaluations = 0;
  const auto evaluate = [&](const torch::Tensor& point) {
    options.watch.at("evaluation " + std::to_string(++evaluations));
    return objective.evaluate(point);
  };
  const auto start = torch::zeros({classes, dim + 1}, torch::TensorOptions(options.device).dtype(torch::kDouble));
  const Minimum minimum = minimise(evaluate, precondition, start, options.tolerance, options.max_iterations);
  const torch::Tensor point = minimum.point.cpu();
  // The penalty leaves only the intercepts' common part free; scikit-learn's sum to zero, as these do from zero on.
  return {.weight = point.slice(1, 0, dim).contiguous(),
          .intercept = point.select(1, dim).contiguous(),
          .iterations = minimum.iterations,
          .converged = minimum.converged};
}

torch::Tensor linear_scores(const LogisticRegression& model, const Features& test) {
  check_features(test, model.weight.size(0), "test");
  if (test.x.size(1) != model.weight.size(1)) {
    throw Error("the test features have " + std::to_string(test.x.size(1)) + " dimensions, the classifier " +
                std::to_string(model.weight.size(1)));
  }
  const at::NoGradGuard no_grad;
  torch::Tensor scores = torch::empty({test.x.size(0), model.weight.size(0)}, torch::kDouble);
  for (std::int64_t begin = 0; begin < test.x.size(0); begin += kRows) {
    scores.slice(0, begin, begin + kRows)
        .copy_(at::addmm(model.intercept, test.x.slice(0, begin, begin + kRows).to(torch::kDouble), model.weight.t()));
  }
  return scores;
}

Accuracy linear_accuracy(const LogisticRegression& model, const Features& test) {
  const torch::Tensor scores = linear_scores(model, test);
  return {.correct = count_equal(scores.argmax(1), test.labels), .total = test.labels.numel()};
}

}  // namespace relic
