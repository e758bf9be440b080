#include "eval/load_images.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string>

#include "relic/core/error.h"

namespace relic {
namespace {

/// The middle of a side that is very long, most of which is cropped anyway, so that scaling an image a thousand times
/// as long as wide needs no more memory than another.
torch::Tensor middle(const torch::Tensor& pixels, std::int64_t dim) {
  constexpr std::int64_t kMostAspect = 8;
  const std::int64_t length = pixels.size(dim);
  const std::int64_t most = kMostAspect * std::min(pixels.size(2), pixels.size(3));
  return length <= most ? pixels : pixels.narrow(dim, (length - most) / 2, most);
}

/// An image brought to [size, size, 3] uint8.
torch::Tensor resized(const ImageRef& image, int size) {
  if (image.width < 1 || image.height < 1) {
    throw Error("an image of " + std::to_string(image.width) + " by " + std::to_string(image.height) + " pixels");
  }
  // ATen only reads through the pointer.
  const torch::Tensor all = at::from_blob(const_cast<std::uint8_t*>(image.pixels), {1, image.height, image.width, 3},
                                          at::TensorOptions().dtype(at::kByte))
                                .permute({0, 3, 1, 2});
  const torch::Tensor pixels = middle(middle(all, 2), 3);
  const std::int64_t shorter = std::min(pixels.size(2), pixels.size(3));
  const std::int64_t height = size * pixels.size(2) / shorter;
  const std::int64_t width = size * pixels.size(3) / shorter;
  const torch::Tensor whole = height == pixels.size(2) && width == pixels.size(3)
                                  ? pixels
                                  : at::_upsample_bilinear2d_aa(pixels, {height, width}, /*align_corners=*/false);
  const auto centred = [size](std::int64_t length) {
    return std::lrint(static_cast<double>(length - size) / 2);  // half to even, as Python's round
  };
  return whole.narrow(2, centred(height), size).narrow(3, centred(width), size).permute({0, 2, 3, 1}).squeeze(0);
}

/// Into [size, size, 3] uint8.
void copy_image(const ImageRef& image, const torch::Tensor& out) {
  const std::int64_t size = out.size(0);
  if (image.width == size && image.height == size) {
    std::memcpy(out.data_ptr<std::uint8_t>(), image.pixels, static_cast<std::size_t>(out.numel()));
  } else {
    out.copy_(resized(image, static_cast<int>(size)));
  }
}

}  // namespace

LoadedImages load_images(const Dataset& dataset, std::span<const std::int64_t> indices, int size,
                         const torch::Device& device, const std::function<void(const BadImage&)>& left_out) {
  const auto count = static_cast<std::int64_t>(indices.size());
  torch::Tensor pixels = torch::empty({count, size, size, 3}, torch::kByte);
  std::vector<std::optional<BadImage>> bad(indices.size());
  at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
    Image scratch;
    for (std::int64_t i = begin; i < end; ++i) {
      try {
        copy_image(dataset.image(indices[static_cast<std::size_t>(i)], scratch), pixels[i]);
      } catch (const BadImage& image) {
        bad[static_cast<std::size_t>(i)] = image;
      }
    }
  });
  LoadedImages loaded;
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!bad[i]) {
      loaded.indices.push_back(indices[i]);
      rows.push_back(static_cast<std::int64_t>(i));
    } else if (left_out) {
      left_out(*bad[i]);
    } else {
      throw BadImage(*bad[i]);
    }
  }
  if (rows.size() < indices.size()) {
    pixels = pixels.index_select(0, torch::tensor(rows, torch::kLong));
  }
  loaded.images = pixels.to(device).permute({0, 3, 1, 2}).to(torch::kFloat).div_(255);
  return loaded;
}

}  // namespace relic
