// A data set for tests: noise that is the same everywhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relic/core/random.h"
#include "relic/data/dataset.h"

namespace relic::testing {

/// Pictures of given sizes, pixels a hash of picture and position, labels the index modulo 3.
class HashedImages : public Dataset {
 public:
  explicit HashedImages(std::vector<std::pair<int, int>> sizes) {
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      Image image;
      image.resize(sizes[i].first, sizes[i].second);
      for (std::size_t p = 0; p < image.pixels.size(); ++p) {
        image.pixels[p] = static_cast<std::uint8_t>(splitmix64((i << 32U) + p) >> 56U);
      }
      images_.push_back(std::move(image));
    }
  }
  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(images_.size()); }
  ImageRef image(std::int64_t index, Image& scratch) const override {
    if (broken.contains(index)) throw BadImage(std::to_string(index) + " is broken");
    scratch = images_[static_cast<std::size_t>(index)];
    return scratch.ref();
  }
  [[nodiscard]] std::optional<ImageSize> common_size() const override {
    const auto& first = images_.at(0);
    const auto alike = [&](const Image& image) { return image.width == first.width && image.height == first.height; };
    if (!broken.empty() || !std::ranges::all_of(images_, alike)) return std::nullopt;
    return ImageSize{first.width, first.height};
  }
  [[nodiscard]] int label(std::int64_t index) const override { return static_cast<int>(index % 3); }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }

  std::set<std::int64_t> broken;

 private:
  std::vector<Image> images_;
  std::vector<std::string> names_{"a", "b", "c"};
};

inline HashedImages small_images(std::size_t count) {
  return HashedImages(std::vector<std::pair<int, int>>(count, {32, 32}));
}

}  // namespace relic::testing
