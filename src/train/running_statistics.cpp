#include "train/running_statistics.h"

#include <torch/torch.h>

#include <map>

namespace relic {

RunningStatistics::RunningStatistics(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  std::map<torch::ScalarType, std::vector<torch::Tensor>> by_type;
  for (auto& buffer : module.buffers()) {
    by_type[buffer.scalar_type()].push_back(buffer);
  }
  for (auto& [type, buffers] : by_type) {
    std::vector<torch::Tensor> flat;
    for (const auto& buffer : buffers) {
      flat.push_back(buffer.flatten());
    }
    const auto now = torch::cat(flat);
    std::int64_t begin = 0;
    for (auto& buffer : buffers) {
      buffer.set_data(now.narrow(0, begin, buffer.numel()).view(buffer.sizes()));
      begin += buffer.numel();
    }
    pieces_.push_back({now, now.clone()});
  }
}

void RunningStatistics::remember() {
  const torch::NoGradGuard no_grad;
  for (auto& piece : pieces_) {
    piece.before.copy_(piece.now);
  }
}

void RunningStatistics::restore_where(const torch::Tensor& found_inf) {
  const torch::NoGradGuard no_grad;
  for (auto& piece : pieces_) {
    piece.now.copy_(torch::where(found_inf != 0, piece.before, piece.now));
  }
}

}  // namespace relic
