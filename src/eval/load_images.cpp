#include "eval/load_images.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "relic/core/error.h"

namespace relic {
namespace {

/// An image brought to [size, size, 3] uint8.
torch::Tensor resized(const ImageRef& image, int size) {
  if (image.width < 1 || image.height < 1) {
    throw Error("an image of " + std::to_string(image.width) + " by " + std::to_string(image.height) + " pixels");
  }
  // ATen only reads through the pointer.
  const torch::Tensor pixels = at::from_blob(const_cast<std::uint8_t*>(image.pixels), {1, image.height, image.width, 3},
                                             at::TensorOptions().dtype(at::kByte))
                                   .permute({0, 3, 1, 2});
  const std::int64_t shorter = std::min(image.width, image.height);
  const std::int64_t height = std::int64_t{size} * image.height / shorter;
  const std::int64_t width = std::int64_t{size} * image.width / shorter;
  const torch::Tensor whole = height == image.height && width == image.width
                                  ? pixels
                                  : at::_upsample_bilinear2d_aa(pixels, {height, width}, /*align_corners=*/false);
  const auto centred = [size](std::int64_t length) {
    return std::lrint(static_cast<double>(length - size) / 2);  // half to even, as Python's round
  };
  return whole.narrow(2, centred(height), size).narrow(3, centred(width), size).permute({0, 2, 3, 1}).squeeze(0);
}

}  // namespace

torch::Tensor load_images(const Dataset& dataset, std::span<const std::int64_t> indices, int size,
                          const torch::Device& device, Image& scratch) {
  const auto count = static_cast<std::int64_t>(indices.size());
  const torch::Tensor pixels = torch::empty({count, size, size, 3}, torch::kByte);
  const std::size_t bytes = static_cast<std::size_t>(size) * static_cast<std::size_t>(size) * 3;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    const ImageRef image = dataset.image(indices[i], scratch);
    if (image.width == size && image.height == size) {
      std::memcpy(pixels.data_ptr<std::uint8_t>() + i * bytes, image.pixels, bytes);
    } else {
      pixels[static_cast<std::int64_t>(i)].copy_(resized(image, size));
    }
  }
  return pixels.to(device).permute({0, 3, 1, 2}).to(torch::kFloat).div_(255);
}

}  // namespace relic
