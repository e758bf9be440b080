#include "train/running_statistics.h"

#include <torch/torch.h>

#include <vector>

namespace relic {

RunningStatistics::RunningStatistics(torch::nn::Module& module) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> buffers;
  std::vector<torch::Tensor> flat;
  for (auto& buffer : module.buffers()) {
    if (buffer.is_floating_point()) {
      buffers.push_back(buffer);
      flat.push_back(buffer.flatten());
    }
  }
  all_ = torch::cat(flat);
  before_ = all_.clone();
  std::int64_t begin = 0;
  for (auto& buffer : buffers) {
    buffer.set_data(all_.narrow(0, begin, buffer.numel()).view(buffer.sizes()));
    begin += buffer.numel();
  }
}

void RunningStatistics::remember() {
  const torch::NoGradGuard no_grad;
  before_.copy_(all_);
}

void RunningStatistics::restore_where(const torch::Tensor& found_inf) {
  const torch::NoGradGuard no_grad;
  all_.copy_(torch::where(found_inf != 0, before_, all_));
}

}  // namespace relic
