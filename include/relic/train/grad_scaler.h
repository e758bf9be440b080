// Loss scaling for float16 gradients.
#pragma once

#include <torch/types.h>

#include "relic/train/optimizer.h"

namespace relic {

/// Sets `found_inf` (scalar float32, on the device) to 1 where `loss` or a gradient of `adam` holds an infinity or a
/// NaN, else to 0.
void find_infinities(const torch::Tensor& loss, const Adam& adam, torch::Tensor& found_inf);

/// Dynamic loss scaling (Micikevicius et al. 2018, arXiv 1710.03740, section 3.2) with torch.amp.GradScaler's defaults:
/// starts at 65536, halves on an overflow, doubles after 2000 steps without one. All state stays on the device.
///
///     scaler.scaled(loss).backward();
///     find_infinities(loss, adam, found_inf);
///     scaler.step(adam, found_inf);  // leaves weights alone where there are any
class GradScaler {
 public:
  explicit GradScaler(const torch::Device& device);

  [[nodiscard]] torch::Tensor scaled(const torch::Tensor& loss) const { return loss * scale; }
  /// `found_inf`: of this step, see find_infinities.
  void step(Adam& adam, const torch::Tensor& found_inf);

  torch::Tensor scale;           // scalar float32
  torch::Tensor growth_tracker;  // scalar int32: steps since the last change of scale
};

}  // namespace relic
