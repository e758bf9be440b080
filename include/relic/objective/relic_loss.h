// The ReLIC objective over all pairs of views (Mitrovic et al. 2021, arXiv 2010.07922, eq. 2), and its SigLIP variant
// (Zhai et al. 2023, arXiv 2303.15343, eq. 1).
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace relic {

struct LossOptions {
  double alpha = 1.0;  ///< weight of the invariance term
  bool siglip = false;
  double max_temperature = 5.0;  ///< exp(tau) is clamped to it: 5 for ReLIC, 15 for SigLIP
};

struct LossTerms {
  torch::Tensor loss;        // scalar: contrast + alpha · invariance, mean over pairs
  torch::Tensor invariance;  // scalar: KL term, mean over pairs
  torch::Tensor logits;      // [N, N], detached: online view 0 against target view 1 (the first pair, with one target)
};

/// The loss of online projections [O·N, d] (globals, then locals, view-major) against target projections [T·N, d] of
/// the T global views, averaged over every pair (target view i, online view j ≠ i), of which there is at least one: O
/// ≥ 2. `batch` is N. Computed in float32, or float64 where the inputs are.
LossTerms relic_loss(const torch::Tensor& online, const torch::Tensor& target, std::int64_t batch,
                     const torch::Tensor& log_temperature, const torch::Tensor& bias, const LossOptions& options);

/// Share of rows of logits [N, N] whose diagonal entry is among their k largest, scalar tensor in [0, 1].
torch::Tensor instance_top_k(const torch::Tensor& logits, std::int64_t k);

}  // namespace relic
