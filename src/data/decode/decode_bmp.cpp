// Uncompressed BMP: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits, bottom-up or top-down. Alpha is dropped.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "data/decode/byte_view.h"
#include "data/decode/codecs.h"
#include "data/decode/image_header.h"

namespace relic {
namespace {

struct Bitmap {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
  bool top_down = false;
  unsigned bits = 0;
  std::array<std::uint32_t, 3> masks{};  ///< of R, G, B in a pixel of 16 or 32 bits
  std::size_t palette = 0;               ///< offset
  std::size_t palette_entry = 4;         ///< bytes
  std::size_t palette_count = 0;
  std::size_t pixels = 0;
  std::size_t row_bytes = 0;
};

void read_compression(const ByteView& view, std::size_t header_bytes, Bitmap& bitmap) {
  const std::uint32_t compression = view.u32(30);
  if (bitmap.bits == 16) bitmap.masks = {0x7C00, 0x3E0, 0x1F};
  if (bitmap.bits == 32) bitmap.masks = {0xFF0000, 0xFF00, 0xFF};
  if (compression == 3 && (bitmap.bits == 16 || bitmap.bits == 32)) {
    bitmap.masks = {view.u32(54), view.u32(58), view.u32(62)};
    if (header_bytes == 40) bitmap.palette += 12;
  } else if (compression != 0) {
    throw DecodeFailure("its compression (type " + std::to_string(compression) + ") is not read");
  }
}

Bitmap read_header(std::string_view bytes) {
  const ByteView view(bytes);
  const ImageHeader size = read_image_header(bytes);
  const std::size_t header_bytes = view.u32(14);
  Bitmap bitmap{.width = size.width, .height = size.height, .palette = 14 + header_bytes, .pixels = view.u32(10)};
  if (header_bytes == 12) {
    bitmap.bits = view.u16(24);
    bitmap.palette_entry = 3;
  } else if (header_bytes >= 40 && header_bytes <= 124) {
    bitmap.top_down = (view.u32(22) >> 31U) != 0;
    bitmap.bits = view.u16(28);
    read_compression(view, header_bytes, bitmap);
    bitmap.palette_count = view.u32(46);
  } else {
    throw DecodeFailure("its header is damaged");
  }
  constexpr std::array<unsigned, 6> known = {1, 4, 8, 16, 24, 32};
  if (std::find(known.begin(), known.end(), bitmap.bits) == known.end()) {
    throw DecodeFailure(std::to_string(bitmap.bits) + " bits a pixel are not read");
  }
  if (bitmap.pixels < bitmap.palette) throw DecodeFailure("its pixels would begin inside of its header");
  const std::size_t most = std::size_t{1} << (bitmap.bits & 15U);
  if (bitmap.palette_count == 0 || bitmap.palette_count > most) bitmap.palette_count = most;
  return bitmap;
}

/// A field of a pixel, stretched to 0 … 255.
std::uint8_t field(std::uint32_t pixel, std::uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const std::uint64_t most = mask >> shift;
  return static_cast<std::uint8_t>(std::uint64_t{(pixel & mask) >> shift} * 255 / most);
}

void read_palette_row(const ByteView& view, const Bitmap& bitmap, std::size_t row, std::uint8_t* rgb) {
  const unsigned per_byte = 8 / bitmap.bits;
  const unsigned last = (1U << bitmap.bits) - 1;
  for (std::size_t x = 0; x < bitmap.width; ++x) {
    const unsigned shift = bitmap.bits * (per_byte - 1 - static_cast<unsigned>(x % per_byte));
    const std::size_t index = static_cast<unsigned>(view.u8(row + x / per_byte)) >> shift & last;
    const std::size_t colour = bitmap.palette + index * bitmap.palette_entry;
    for (std::size_t channel = 0; channel < 3; ++channel) {
      rgb[3 * x + channel] = index < bitmap.palette_count ? view.u8(colour + 2 - channel) : std::uint8_t{0};
    }
  }
}

void read_colour_row(const ByteView& view, const Bitmap& bitmap, std::size_t row, std::uint8_t* rgb) {
  for (std::size_t x = 0; x < bitmap.width; ++x) {
    if (bitmap.bits == 24) {
      for (std::size_t channel = 0; channel < 3; ++channel) rgb[3 * x + channel] = view.u8(row + 3 * x + 2 - channel);
      continue;
    }
    const std::uint32_t pixel = bitmap.bits == 16 ? view.u16(row + 2 * x) : view.u32(row + 4 * x);
    for (std::size_t channel = 0; channel < 3; ++channel) rgb[3 * x + channel] = field(pixel, bitmap.masks[channel]);
  }
}

}  // namespace

void decode_bmp(std::string_view bytes, Image& out) {
  Bitmap bitmap = read_header(bytes);
  require_allowed_size(bitmap.width, bitmap.height);
  bitmap.row_bytes = (bitmap.width * bitmap.bits + 31) / 32 * 4;
  const std::uint64_t end = bitmap.pixels + bitmap.row_bytes * bitmap.height;
  if (end > bytes.size()) {
    throw DecodeFailure("the file ends early (cut off at byte " + std::to_string(bytes.size()) + " of " +
                        std::to_string(end) + ")");
  }
  resize_image(out, bitmap.width, bitmap.height);
  const ByteView view(bytes);
  for (std::size_t y = 0; y < bitmap.height; ++y) {
    const std::size_t row = bitmap.pixels + (bitmap.top_down ? y : bitmap.height - 1 - y) * bitmap.row_bytes;
    std::uint8_t* const rgb = out.pixels.data() + y * 3 * bitmap.width;
    if (bitmap.bits <= 8) {
      read_palette_row(view, bitmap, row, rgb);
    } else {
      read_colour_row(view, bitmap, row, rgb);
    }
  }
}

}  // namespace relic
