#include "eval/lbfgs.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace relic {
namespace {

constexpr std::size_t kPairs = 10;
constexpr std::int64_t kFirstPreconditioning = 10;

double product_of(const torch::Tensor& a, const torch::Tensor& b) {
  return at::dot(a.flatten(), b.flatten()).item<double>();
}

/// The last steps and what they did to the gradient: a guess of the inverse Hessian.
class History {
 public:
  void set_preconditioner(Preconditioner precondition) { precondition_ = std::move(precondition); }

  void add(const torch::Tensor& step, const torch::Tensor& change) {
    const double curvature = product_of(step, change);
    if (curvature <= 0) {
      return;
    }
    pairs_.push_back({.step = step, .change = change, .inverse_curvature = 1 / curvature});
    if (pairs_.size() > kPairs) {
      pairs_.pop_front();
    }
  }

  [[nodiscard]] torch::Tensor apply(const torch::Tensor& gradient) const {
    torch::Tensor direction = gradient.clone();
    std::vector<double> factors(pairs_.size());
    for (std::size_t i = pairs_.size(); i-- > 0;) {
      factors[i] = pairs_[i].inverse_curvature * product_of(pairs_[i].step, direction);
      direction.add_(pairs_[i].change, -factors[i]);
    }
    direction = precondition_(direction);
    if (!pairs_.empty()) {
      const Pair& last = pairs_.back();
      direction.mul_(1 / (last.inverse_curvature * product_of(last.change, precondition_(last.change))));
    }
    for (std::size_t i = 0; i < pairs_.size(); ++i) {
      const double factor = pairs_[i].inverse_curvature * product_of(pairs_[i].change, direction);
      direction.add_(pairs_[i].step, factors[i] - factor);
    }
    return direction;
  }

  [[nodiscard]] bool empty() const { return pairs_.empty(); }
  void clear() { pairs_.clear(); }

 private:
  struct Pair {
    torch::Tensor step;
    torch::Tensor change;
    double inverse_curvature;
  };
  Preconditioner precondition_;
  std::deque<Pair> pairs_;
};

struct Step {
  torch::Tensor point;
  Evaluation at;
};

/// A step along `direction` that lowers the value enough and flattens the slope enough; nothing where rounding leaves
/// none.
std::optional<Step> search(const std::function<Evaluation(const torch::Tensor&)>& evaluate, const torch::Tensor& point,
                           const Evaluation& from, const torch::Tensor& direction) {
  constexpr double kDecrease = 1e-4;
  constexpr double kFlatten = 0.9;
  constexpr int kMostTrials = 40;
  const double slope = product_of(from.gradient, direction);
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  double length = 1;
  for (int trial = 0; trial < kMostTrials && slope < 0; ++trial) {
    Step step{.point = point + length * direction, .at = {}};
    step.at = evaluate(step.point);
    if (!(step.at.value <= from.value + kDecrease * length * slope)) {
      high = length;
    } else if (product_of(step.at.gradient, direction) < kFlatten * slope) {
      low = length;
    } else {
      return step;
    }
    length = std::isinf(high) ? 2 * length : (low + high) / 2;
  }
  return std::nullopt;
}

}  // namespace

Minimum minimise(const std::function<Evaluation(const torch::Tensor&)>& evaluate,
                 const std::function<Preconditioner(const torch::Tensor&)>& precondition, const torch::Tensor& start,
                 double tolerance, std::int64_t max_iterations) {
  Minimum minimum{.point = start};
  Evaluation current = evaluate(start);
  History history;
  std::int64_t next_preconditioner = 0;
  while (true) {
    minimum.converged = current.gradient.abs().max().item<double>() <= tolerance;
    if (minimum.converged || minimum.iterations >= max_iterations) {
      return minimum;
    }
    if (minimum.iterations >= next_preconditioner) {
      history.set_preconditioner(precondition(minimum.point));
      next_preconditioner = std::max(kFirstPreconditioning, 2 * next_preconditioner);
    }
    std::optional<Step> step = search(evaluate, minimum.point, current, -history.apply(current.gradient));
    if (!step && history.empty()) {
      return minimum;
    }
    if (!step) {  // once more from the preconditioner alone
      history.clear();
      continue;
    }
    history.add(step->point - minimum.point, step->at.gradient - current.gradient);
    minimum.point = std::move(step->point);
    current = std::move(step->at);
    ++minimum.iterations;
  }
}

}  // namespace relic
