#include "eval/run_encoder.h"

#include <ATen/autocast_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/utils.h>

#include <algorithm>
#include <span>
#include <string>

#include "eval/load_images.h"

namespace relic {
namespace {

constexpr std::size_t kBatch = 256;

}  // namespace

void run_encoder(Encoder& encoder, const Dataset& dataset, const std::vector<std::int64_t>& indices, int image_size,
                 const torch::Device& device, const Watch& watch,
                 const std::function<void(const std::vector<std::int64_t>&, const torch::Tensor&)>& take) {
  const torch::NoGradGuard no_grad;
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
  const std::span<const std::int64_t> all(indices);
  for (std::size_t begin = 0; begin < all.size(); begin += kBatch) {
    watch.at(std::to_string(begin) + " of " + std::to_string(all.size()));
    auto batch = load_images(dataset, all.subspan(begin, std::min(kBatch, all.size() - begin)), image_size, device,
                             watch.left_out);
    if (!batch.indices.empty()) {
      take(batch.indices, encoder.forward(batch.images));
    }
  }
}

}  // namespace relic
