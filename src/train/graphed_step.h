// A training step as one CUDA graph.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>

#include "relic/views/view_source.h"
#include "train/cuda_graph.h"

namespace relic {

/// Runs a step as it is a few times, since the first ones allocate and choose kernels, then records it, and from then
/// on copies each batch's views to where the recorded one's were and launches all of it at once.
class GraphedStep {
 public:
  /// Views to what was measured, on a GPU, all in the current stream and without waiting for it.
  using Step = std::function<torch::Tensor(const Views&)>;

  /// `fall_back`: told why where the step cannot be recorded; it then goes on as it is. Without it that is an Error.
  explicit GraphedStep(Step step, std::function<void(const std::string&)> fall_back = {});

  /// What was measured lies where the next call overwrites it.
  torch::Tensor run(const Views& views);
  /// Whether it goes on as it is.
  [[nodiscard]] bool gave_up() const { return gave_up_; }

 private:
  /// Whether it could be; else it has given up.
  bool record(const Views& views);

  Step step_;
  std::function<void(const std::string&)> fall_back_;
  bool gave_up_ = false;
  int warmed_up_ = 0;
  Views inputs_;
  torch::Tensor measured_;
  std::unique_ptr<CudaGraph> graph_;
};

}  // namespace relic
