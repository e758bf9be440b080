// torchvision's efficientnet_v2_s (Tan and Le 2021, arXiv 2104.00298).
#pragma once

#include <torch/types.h>

#include <memory>

#include "relic/nn/encoder.h"

namespace relic {

std::shared_ptr<Encoder> make_efficientnet();

/// Drops whole rows of x [N, …] with probability `drop` and scales the others by 1/(1 − drop), so that the expectation
/// stays (Huang et al. 2016, arXiv 1603.09382; torchvision's mode "row").
torch::Tensor stochastic_depth(const torch::Tensor& x, double drop);

}  // namespace relic
