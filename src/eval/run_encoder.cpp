#include "eval/run_encoder.h"

#include <algorithm>
#include <span>
#include <string>

#include "eval/inference_scope.h"
#include "eval/load_images.h"

namespace relic {

std::int64_t images_per_batch(int image_size, const torch::Device& device) {
  constexpr std::int64_t kMost = 256;
  constexpr std::int64_t kLeast = 4;
  constexpr std::int64_t kPixels = kMost * 32 * 32;
  const std::int64_t side = image_size;
  return device.is_cpu() ? std::clamp(kPixels / (side * side), kLeast, kMost) : kMost;
}

void run_encoder(Encoder& encoder, const Dataset& dataset, const std::vector<std::int64_t>& indices, int image_size,
                 const torch::Device& device, const Watch& watch,
                 const std::function<void(const std::vector<std::int64_t>&, const torch::Tensor&)>& take) {
  const InferenceScope scope;
  const std::span<const std::int64_t> all(indices);
  const auto batch_size = static_cast<std::size_t>(images_per_batch(image_size, device));
  for (std::size_t begin = 0; begin < all.size(); begin += batch_size) {
    watch.at(std::to_string(begin) + " of " + std::to_string(all.size()));
    auto batch = load_images(dataset, all.subspan(begin, std::min(batch_size, all.size() - begin)), image_size, device,
                             watch.left_out);
    if (!batch.indices.empty()) {
      take(batch.indices, encoder.forward(batch.images));
    }
  }
}

}  // namespace relic
