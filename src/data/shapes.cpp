#include <algorithm>
#include <opencv2/core/utility.hpp>
#include <utility>
#include <vector>

#include "data/memory_dataset.h"
#include "data/readers.h"
#include "data/shape_drawing.h"
#include "relic/core/random.h"

namespace relic {
namespace {

// Keeps these numbers apart from other streams of the same seed.
constexpr std::uint32_t shapes_stream = 0xFFFFFFFEU;

std::int64_t count_shapes(const DatasetRequest& request) {
  constexpr std::int64_t usual_train = 10000;
  constexpr std::int64_t usual_test = 2000;
  const std::int64_t usual = request.split == Split::test ? usual_test : usual_train;
  return request.max_images == 0 ? usual : request.max_images;
}

std::unique_ptr<Dataset> make_shapes(const DatasetRequest& request) {
  constexpr std::size_t image_bytes = std::size_t{3} * shape_side * shape_side;
  const auto count = static_cast<std::size_t>(count_shapes(request));
  const auto class_count = static_cast<std::uint32_t>(shape_names().size());
  const std::uint32_t split = request.split == Split::test ? 1 : 0;

  cv::setNumThreads(0);
  std::vector<std::uint8_t> pixels(count * image_bytes);
  std::vector<std::uint8_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) {
    CounterRng rng(request.seed, split, static_cast<std::uint32_t>(i), shapes_stream);
    labels[i] = static_cast<std::uint8_t>(rng.below(class_count));
    draw_shape(labels[i], rng, pixels.data() + i * image_bytes);
  }
  return std::make_unique<MemoryDataset>(shape_side, std::move(pixels), std::move(labels), shape_names());
}

}  // namespace

FoundDataset find_shapes(const DatasetRequest& request) {
  return {.size = count_shapes(request), .classes = static_cast<std::int64_t>(shape_names().size()), .open = [request] {
            return make_shapes(request);
          }};
}

}  // namespace relic
