#include "relic/eval/norm_statistics.h"

#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/utils.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "eval/kept_modes.h"
#include "eval/load_images.h"
#include "relic/core/error.h"

namespace relic {
namespace {

constexpr std::int64_t kBatch = 256;

/// Every BatchNorm of a module: forgets its running statistics and averages those of all batches from now on, until the
/// end of the scope.
class AveragingNorms {
 public:
  explicit AveragingNorms(torch::nn::Module& module) {
    module.apply([this](torch::nn::Module& part) {
      if (auto* norm = dynamic_cast<torch::nn::BatchNorm2dImpl*>(&part)) {
        momenta_.emplace_back(norm, norm->options.momentum());
        norm->reset_running_stats();
        norm->options.momentum(std::nullopt);  // torch's word for an average in equal parts
        norm->train();
      }
    });
  }
  ~AveragingNorms() {
    for (const auto& [norm, momentum] : momenta_) {
      norm->options.momentum(momentum);
    }
  }
  AveragingNorms(const AveragingNorms&) = delete;
  AveragingNorms& operator=(const AveragingNorms&) = delete;

 private:
  std::vector<std::pair<torch::nn::BatchNorm2dImpl*, std::optional<double>>> momenta_;
};

}  // namespace

void estimate_norm_statistics(Encoder& encoder, const Dataset& dataset, int image_size, const torch::Device& device,
                              std::int64_t max_images, const std::function<bool()>& stop) {
  const torch::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const KeptModes modes(encoder);
  encoder.eval();  // dropout and its kind
  const AveragingNorms norms(encoder);

  const std::int64_t size = dataset.size();
  const std::int64_t count = std::min(max_images, size);
  Image scratch;
  std::vector<std::int64_t> indices;
  for (std::int64_t begin = 0; begin < count; begin += kBatch) {
    if (stop && stop()) {
      throw Interrupted();
    }
    indices.clear();
    for (std::int64_t i = begin; i < std::min(begin + kBatch, count); ++i) {
      indices.push_back(i * size / count);
    }
    encoder.forward(load_images(dataset, indices, image_size, device, scratch));
  }
}

}  // namespace relic
