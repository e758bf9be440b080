#include "train/bfloat16_cost.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <limits>

namespace relic {

namespace {

/// A convolution of the encoders' first layers.
class Trial {
 public:
  explicit Trial(torch::ScalarType type)
      : images_(torch::ones({32, kChannels, 16, 16}).to(type).contiguous(at::MemoryFormat::ChannelsLast)),
        weight_(torch::ones({kChannels, kChannels, 3, 3}).to(type).contiguous(at::MemoryFormat::ChannelsLast)) {}

  void run() {
    const auto began = std::chrono::steady_clock::now();
    torch::conv2d(images_, weight_, {}, /*stride=*/1, /*padding=*/1);
    best_ = std::min(best_, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  [[nodiscard]] double best_seconds() const { return best_; }

 private:
  static constexpr std::int64_t kChannels = 64;

  torch::Tensor images_;
  torch::Tensor weight_;
  double best_ = std::numeric_limits<double>::infinity();
};

double measure(int threads) {
  const int before = at::get_num_threads();
  at::set_num_threads(threads);
  const torch::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::DispatchKey::AutocastCPU);
  Trial bfloat16(torch::kBFloat16);
  Trial float32(torch::kFloat);
  for (int attempt = 0; attempt < 5; ++attempt) {
    bfloat16.run();
    float32.run();
  }
  at::set_num_threads(before);
  return bfloat16.best_seconds() / float32.best_seconds();
}

}  // namespace

double bfloat16_cost(int threads) {
  static const double cost = measure(threads);
  return cost;
}

}  // namespace relic
