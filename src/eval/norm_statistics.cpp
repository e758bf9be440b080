#include "relic/eval/norm_statistics.h"

#include <torch/nn/modules/batchnorm.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "eval/kept_modes.h"
#include "eval/run_encoder.h"

namespace relic {
namespace {

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
                              std::int64_t max_images, const Watch& watch) {
  const std::int64_t size = dataset.size();
  std::vector<std::int64_t> indices(static_cast<std::size_t>(std::min(max_images, size)));
  const auto count = static_cast<std::int64_t>(indices.size());
  for (std::int64_t i = 0; i < count; ++i) {
    indices[static_cast<std::size_t>(i)] = i * size / count;
  }
  const KeptModes modes(encoder);
  encoder.eval();  // dropout and its kind
  const AveragingNorms norms(encoder);
  run_encoder(encoder, dataset, indices, image_size, device, watch,
              [](const std::vector<std::int64_t>&, const torch::Tensor&) {});
}

}  // namespace relic
