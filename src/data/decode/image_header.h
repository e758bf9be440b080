// What an image file is and how large, from its first bytes alone.
#pragma once

#include <cstdint>
#include <string_view>

namespace relic {

enum class ImageType : std::uint8_t { unknown, jpeg, png, webp, bmp, tiff, gif };

/// "JPEG", "PNG", …; "unknown" for what is none of them.
std::string_view name_of(ImageType type);

struct ImageHeader {
  ImageType type = ImageType::unknown;
  std::uint64_t width = 0;  ///< pixels; 0 by 0 where the header is cut off or says no size
  std::uint64_t height = 0;
};

/// Reads the header in a file's bytes, of which none is trusted. Throws nothing.
ImageHeader read_image_header(std::string_view bytes);

}  // namespace relic
