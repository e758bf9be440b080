// BatchNorm's running means and variances, so that a step that is skipped leaves no trace in them.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

namespace relic {

/// A forward pass in train mode moves the running statistics before anyone knows whether its numbers are finite: those
/// of a float16 overflow would stay infinite for good. All on the device, nothing waits.
class RunningStatistics {
 public:
  /// Moves the floating buffers of `module` into one piece of memory.
  explicit RunningStatistics(torch::nn::Module& module);

  /// Before a step.
  void remember();
  /// After it: they are again as remembered where `found_inf` (scalar) is not 0.
  void restore_where(const torch::Tensor& found_inf);

 private:
  torch::Tensor all_;  // what the buffers are views of
  torch::Tensor before_;
};

}  // namespace relic
