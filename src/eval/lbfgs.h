// L-BFGS for smooth convex functions, with a preconditioner.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>

namespace relic {

/// Value and gradient at a point.
struct Evaluation {
  double value = 0;
  torch::Tensor gradient;
};

struct Minimum {
  torch::Tensor point;
  std::int64_t iterations = 0;
  bool converged = false;  ///< whether the largest entry of the gradient came below the tolerance
};

/// Minimises a function of a float64 tensor from `start` (Nocedal and Wright, "Numerical optimization", algorithms 7.4
/// and 7.5, ten pairs), steps by bisection to the weak Wolfe conditions (Lewis and Overton 2013). `precondition`
/// applies a symmetric positive definite guess of the inverse Hessian; its scale does not matter. Ends early where the
/// value no longer falls.
Minimum minimise(const std::function<Evaluation(const torch::Tensor&)>& evaluate,
                 const std::function<torch::Tensor(const torch::Tensor&)>& precondition, const torch::Tensor& start,
                 double tolerance, std::int64_t max_iterations);

}  // namespace relic
