// One decoder a file type, each from a whole file's bytes to 8-bit RGB as PIL's convert("RGB") gives it. They print
// nothing, keep nothing between calls, and either give the whole picture or throw.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>

#include "relic/data/image.h"

namespace relic {

/// Why a file cannot be decoded, without its name: "the image data ends early …".
class DecodeFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// PIL's: more counts as a decompression bomb.
constexpr std::uint64_t max_image_pixels = 178'956'970;

/// Throws DecodeFailure for no pixels and for more than max_image_pixels.
void require_allowed_size(std::uint64_t width, std::uint64_t height);

/// Gives `out` that size, once it is allowed.
void resize_image(Image& out, std::uint64_t width, std::uint64_t height);

/// What each adds to DecodeFailure: the library's own words. Each also throws std::bad_alloc.
void decode_jpeg(std::string_view bytes, Image& out);
void decode_png(std::string_view bytes, Image& out);   ///< 16 bits are scaled to 8 and rounded
void decode_webp(std::string_view bytes, Image& out);  ///< no animations
void decode_bmp(std::string_view bytes, Image& out);   ///< no run-length compression
void decode_tiff(std::string_view bytes, Image& out);  ///< the first page, turned upright as its orientation tag says

}  // namespace relic
