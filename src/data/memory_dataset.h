// Images of one size held in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relic/data/dataset.h"

namespace relic {

class MemoryDataset : public Dataset {
 public:
  /// `pixels`: labels.size() images of side × side × 3 bytes.
  MemoryDataset(int side, std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels,
                std::vector<std::string> class_names)
      : side_(side), pixels_(std::move(pixels)), labels_(std::move(labels)), class_names_(std::move(class_names)) {}

  [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(labels_.size()); }
  ImageRef image(std::int64_t index, Image& /*scratch*/) const override {
    const auto bytes = std::int64_t{3} * side_ * side_;
    return {pixels_.data() + index * bytes, side_, side_};
  }
  [[nodiscard]] std::optional<ImageSize> common_size() const override { return ImageSize{side_, side_}; }
  [[nodiscard]] int label(std::int64_t index) const override { return labels_[static_cast<std::size_t>(index)]; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return class_names_; }

 private:
  int side_;
  std::vector<std::uint8_t> pixels_;
  std::vector<std::uint8_t> labels_;
  std::vector<std::string> class_names_;
};

}  // namespace relic
