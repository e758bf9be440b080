// Pictures that every reader of images knows, made without one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace relic::testing {

/// A BMP of one colour.
inline std::string bmp(int width, int height, std::array<std::uint8_t, 3> rgb) {
  const auto number = [](std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> static_cast<unsigned>(8 * i));
    return text;
  };
  std::string row;
  for (int x = 0; x < width; ++x) {
    for (const int channel : {2, 1, 0}) row += static_cast<char>(rgb.at(static_cast<std::size_t>(channel)));
  }
  row.resize((row.size() + 3) / 4 * 4);
  std::string pixels;
  for (int y = 0; y < height; ++y) pixels += row;
  const auto size = static_cast<std::uint32_t>(pixels.size());
  return "BM" + number(54 + size, 4) + number(0, 4) + number(54, 4) + number(40, 4) +
         number(static_cast<std::uint32_t>(width), 4) + number(static_cast<std::uint32_t>(height), 4) + number(1, 2) +
         number(24, 2) + number(0, 4) + number(size, 4) + number(2835, 4) + number(2835, 4) + number(0, 8) + pixels;
}

}  // namespace relic::testing
