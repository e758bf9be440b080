// BatchNorm's running means, variances and counters, so that a step that is skipped leaves no trace in them.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <vector>

namespace relic {

/// A forward pass in train mode moves the running statistics before anyone knows whether its numbers are finite: those
/// of a step that is skipped would stay infinite for good. All on the device, nothing waits.
class RunningStatistics {
 public:
  /// Moves the buffers of `module` into one piece of memory for each type.
  explicit RunningStatistics(torch::nn::Module& module);

  /// Before a step.
  void remember();
  /// After it: they are again as remembered where `found_inf` (scalar) is not 0.
  void restore_where(const torch::Tensor& found_inf);

 private:
  struct Piece {
    torch::Tensor now;  // what buffers of one type are views of
    torch::Tensor before;
  };
  std::vector<Piece> pieces_;
};

}  // namespace relic
