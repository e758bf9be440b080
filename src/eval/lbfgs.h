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

/// A guess of the inverse Hessian at a point: applied to a gradient, it gives a step. Symmetric, positive definite; its
/// scale does not matter.
using Preconditioner = std::function<torch::Tensor(const torch::Tensor& gradient)>;

/// Minimises a function of a float64 tensor from `start` by L-BFGS with ten pairs (Nocedal and Wright, "Numerical
/// optimization", algorithms 7.4 and 7.5), steps by bisection to the weak Wolfe conditions (Lewis and Overton 2013).
/// `precondition` is asked for a preconditioner at the start and after 10, 20, 40, … iterations. Ends early where
/// rounding lets the value fall no further.
Minimum minimise(const std::function<Evaluation(const torch::Tensor&)>& evaluate,
                 const std::function<Preconditioner(const torch::Tensor& point)>& precondition,
                 const torch::Tensor& start, double tolerance, std::int64_t max_iterations);

}  // namespace relic
