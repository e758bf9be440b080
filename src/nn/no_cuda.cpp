// Where no CUDA sources are compiled.
#include "nn/norm_act.h"

namespace relic {

torch::Tensor fused_norm_act(torch::nn::BatchNorm2d& /*norm*/, const torch::Tensor& /*x*/, After /*after*/,
                             const torch::Tensor& /*shortcut*/) {
  return {};
}

}  // namespace relic
