#include "data/decode/image_header.h"

#include <cstddef>
#include <cstdlib>

#include "data/decode/byte_view.h"

namespace relic {
namespace {

using namespace std::string_view_literals;

/// Walks the segments up to the frame header, past a thumbnail's headers inside of one.
ImageHeader jpeg_header(std::string_view bytes) {
  const ByteView view(bytes, true);
  std::size_t at = 2;
  while (at + 9 <= view.size()) {
    if (view.u8(at) != 0xFF) {
      ++at;  // libjpeg too passes over what lies between segments
      continue;
    }
    const unsigned marker = view.u8(at + 1);
    if (marker == 0xFF || marker == 0) {  // padding
      ++at;
    } else if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) {  // markers without a segment
      at += 2;
    } else if (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) {
      return {ImageType::jpeg, view.u16(at + 7), view.u16(at + 5)};
    } else if (marker == 0xD9 || marker == 0xDA) {  // the end, or pixels without a frame
      break;
    } else {
      at += 2 + std::size_t{view.u16(at + 2)};
    }
  }
  return {ImageType::jpeg, 0, 0};
}

ImageHeader png_header(std::string_view bytes) {
  const ByteView view(bytes, true);
  if (bytes.size() < 24 || bytes.substr(12, 4) != "IHDR"sv) return {ImageType::png, 0, 0};
  return {ImageType::png, view.u32(16), view.u32(20)};
}

ImageHeader webp_header(std::string_view bytes) {
  const ByteView view(bytes);
  if (view.size() < 16) return {ImageType::webp, 0, 0};
  const std::string_view chunk = bytes.substr(12, 4);
  if (chunk == "VP8X"sv && view.size() >= 30) return {ImageType::webp, view.u24(24) + 1U, view.u24(27) + 1U};
  if (chunk == "VP8L"sv && view.size() >= 25) {
    const std::uint32_t bits = view.u32(21);
    return {ImageType::webp, (bits & 0x3FFFU) + 1, (bits >> 14U & 0x3FFFU) + 1};
  }
  if (chunk == "VP8 "sv) return {ImageType::webp, view.u16(26) & 0x3FFFU, view.u16(28) & 0x3FFFU};
  return {ImageType::webp, 0, 0};
}

ImageHeader bmp_header(std::string_view bytes) {
  const ByteView view(bytes);
  if (view.u32(14) == 12) return {ImageType::bmp, view.u16(18), view.u16(20)};  // OS/2's
  const auto magnitude = [&](std::size_t at) {
    return static_cast<std::uint64_t>(std::llabs(static_cast<std::int32_t>(view.u32(at))));
  };
  return {ImageType::bmp, magnitude(18), magnitude(22)};
}

ImageHeader tiff_header(std::string_view bytes) {
  const ByteView view(bytes, bytes.starts_with('M'));
  const bool large = view.u16(2) == 43;  // BigTIFF
  const std::uint64_t directory = large ? view.u64(8) : view.u32(4);
  ImageHeader header{ImageType::tiff, 0, 0};
  if (directory >= bytes.size()) return header;
  const std::uint64_t count = large ? view.u64(directory) : view.u16(directory);
  const std::size_t entry_bytes = large ? 20 : 12;
  std::size_t entry = directory + (large ? 8 : 2);
  for (std::uint64_t i = 0; i < count && entry < bytes.size(); ++i, entry += entry_bytes) {
    const unsigned tag = view.u16(entry);
    if (tag != 256 && tag != 257) continue;
    const unsigned type = view.u16(entry + 2);
    const std::size_t at = entry + (large ? 12 : 8);
    const std::uint64_t value = type == 3 ? view.u16(at) : type == 4 ? view.u32(at) : type == 16 ? view.u64(at) : 0;
    (tag == 256 ? header.width : header.height) = value;
  }
  return header;
}

}  // namespace

std::string_view name_of(ImageType type) {
  switch (type) {
    case ImageType::jpeg:
      return "JPEG";
    case ImageType::png:
      return "PNG";
    case ImageType::webp:
      return "WebP";
    case ImageType::bmp:
      return "BMP";
    case ImageType::tiff:
      return "TIFF";
    case ImageType::gif:
      return "GIF";
    case ImageType::unknown:
      break;
  }
  return "unknown";
}

ImageHeader read_image_header(std::string_view bytes) {
  if (bytes.starts_with("\xFF\xD8\xFF"sv)) return jpeg_header(bytes);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n"sv)) return png_header(bytes);
  if (bytes.starts_with("RIFF"sv) && bytes.size() >= 12 && bytes.substr(8, 4) == "WEBP"sv) {
    return webp_header(bytes);
  }
  if (bytes.starts_with("GIF87a"sv) || bytes.starts_with("GIF89a"sv)) {
    const ByteView view(bytes);
    return {ImageType::gif, view.u16(6), view.u16(8)};
  }
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (bytes.starts_with(magic)) return tiff_header(bytes);
  }
  if (bytes.starts_with("BM"sv)) return bmp_header(bytes);
  return {};
}

}  // namespace relic
