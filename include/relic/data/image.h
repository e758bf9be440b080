// Pictures as the readers hand them over: 8-bit RGB, interleaved, rows without padding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace relic {

/// Somebody else's pixels: height × width × 3 bytes (R, G, B), row-major.
struct ImageRef {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
};

/// Pixels.
struct ImageSize {
  int width = 0;
  int height = 0;
};

/// Pixels of one's own.
struct Image {
  std::vector<std::uint8_t> pixels;  ///< height × width × 3
  int width = 0;
  int height = 0;

  void resize(int new_width, int new_height) {
    width = new_width;
    height = new_height;
    pixels.resize(static_cast<std::size_t>(3) * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  }
  [[nodiscard]] ImageRef ref() const { return {pixels.data(), width, height}; }
};

}  // namespace relic
