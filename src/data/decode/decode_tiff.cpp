// The first page of a TIFF through libtiff's conversion to RGBA, of which alpha is dropped.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include "data/decode/codecs.h"

namespace relic {
namespace {

struct TiffSource {
  std::string_view bytes;
  std::uint64_t position = 0;
  bool ended_early = false;         ///< more was asked for than there is
  std::array<char, 256> message{};  ///< the first error
};

TiffSource& source_of(thandle_t handle) { return *static_cast<TiffSource*>(handle); }

tmsize_t read_bytes(thandle_t handle, void* to, tmsize_t size) {
  TiffSource& source = source_of(handle);
  if (size <= 0) return 0;
  const std::size_t rest = source.bytes.size() - std::min<std::uint64_t>(source.position, source.bytes.size());
  const std::size_t count = std::min(static_cast<std::size_t>(size), rest);
  source.ended_early |= count < static_cast<std::size_t>(size);
  if (count == 0) return 0;
  std::memcpy(to, source.bytes.data() + source.position, count);
  source.position += count;
  return static_cast<tmsize_t>(count);
}

tmsize_t write_nothing(thandle_t /*handle*/, void* /*from*/, tmsize_t /*size*/) { return 0; }

toff_t seek(thandle_t handle, toff_t offset, int whence) {
  TiffSource& source = source_of(handle);
  const std::uint64_t base = whence == SEEK_CUR ? source.position : whence == SEEK_END ? source.bytes.size() : 0;
  source.position = base + offset;
  return source.position;
}

int close_nothing(thandle_t /*handle*/) { return 0; }

toff_t size_of(thandle_t handle) { return source_of(handle).bytes.size(); }

int keep_first(TIFF* /*tiff*/, void* data, const char* /*module*/, const char* format, va_list arguments) {
  auto& source = *static_cast<TiffSource*>(data);
  if (source.message[0] == 0) std::vsnprintf(source.message.data(), source.message.size(), format, arguments);
  return 1;
}

int ignore(TIFF* /*tiff*/, void* /*data*/, const char* /*module*/, const char* /*format*/, va_list /*arguments*/) {
  return 1;
}

[[noreturn]] void fail(const TiffSource& source, const char* otherwise) {
  std::string reason = source.message[0] != 0 ? source.message.data() : otherwise;
  std::ranges::replace_if(
      reason, [](char c) { return c < ' ' || c > '~'; }, '?');  // it quotes the file
  throw DecodeFailure(reason);
}

[[noreturn]] void fail_cut(const TiffSource& source) {
  throw DecodeFailure("the file ends early (cut off at byte " + std::to_string(source.bytes.size()) +
                      ", where more is told of)");
}

using Tiff = std::unique_ptr<TIFF, decltype(&TIFFClose)>;

/// With handlers of its own, so that nothing is printed and nothing global is set.
Tiff open(TiffSource& source) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 TIFFOpenOptionsFree);
  if (options == nullptr) throw std::bad_alloc();
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), keep_first, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore, nullptr);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t{2} << 30);
  TIFF* const tiff = TIFFClientOpenExt("", "rm", &source, read_bytes, write_nothing, seek, close_nothing, size_of,
                                       nullptr, nullptr, options.get());
  if (tiff == nullptr && source.ended_early) fail_cut(source);
  if (tiff == nullptr) fail(source, "its header is damaged");
  return {tiff, TIFFClose};
}

/// libtiff goes on without a tag that lies past the end (a palette's picture becomes gray), and some of its decoders
/// make up what is missing of the pixels.
void require_whole_file(TIFF* tiff, const TiffSource& source) {
  if (source.ended_early) fail_cut(source);
  const std::uint64_t file_bytes = source.bytes.size();
  const std::uint32_t parts = TIFFIsTiled(tiff) != 0 ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  for (std::uint32_t part = 0; part < parts; ++part) {
    const std::uint64_t offset = TIFFGetStrileOffset(tiff, part);
    const std::uint64_t size = TIFFGetStrileByteCount(tiff, part);
    if (offset == 0 || size == 0) {
      throw DecodeFailure("part " + std::to_string(part) + " of its image data is missing");
    }
    if (offset > file_bytes || size > file_bytes - offset) fail_cut(source);
  }
}

/// libtiff's conversion of one picture, as it is stored: rows from the top, not turned.
class Conversion {
 public:
  Conversion(TIFF* tiff, const TiffSource& source) {
    // libtiff would multiply colours by such an alpha.
    std::uint16_t count = 0;
    std::uint16_t* kinds = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) != 0 && count > 0) {
      std::uint16_t as_it_is = EXTRASAMPLE_ASSOCALPHA;
      if (count == 1) TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &as_it_is);
    }
    std::array<char, 1024> reason{};
    if (TIFFRGBAImageBegin(&image_, tiff, 1, reason.data()) == 0) {
      fail(source, reason[0] != 0 ? reason.data() : "libtiff does not read its kind of pixels");
    }
    orientation_ = image_.orientation;
    image_.orientation = ORIENTATION_TOPLEFT;
    image_.req_orientation = ORIENTATION_TOPLEFT;
  }
  ~Conversion() { TIFFRGBAImageEnd(&image_); }
  Conversion(const Conversion&) = delete;
  Conversion& operator=(const Conversion&) = delete;

  [[nodiscard]] std::size_t width() const { return image_.width; }
  [[nodiscard]] std::size_t height() const { return image_.height; }
  [[nodiscard]] unsigned orientation() const { return orientation_; }

  /// ABGR in an integer each.
  std::unique_ptr<std::uint32_t[]> run(const TiffSource& source) {
    auto raster = std::make_unique<std::uint32_t[]>(width() * height());
    if (TIFFRGBAImageGet(&image_, raster.get(), image_.width, image_.height) == 0 || source.message[0] != 0) {
      fail(source, "its image data is damaged");
    }
    return raster;
  }

 private:
  TIFFRGBAImage image_{};
  unsigned orientation_ = ORIENTATION_TOPLEFT;
};

/// Turns the picture upright: `orientation` is the tag's 1 … 8, width and height those that are stored.
void copy_upright(const std::uint32_t* raster, std::size_t width, std::size_t height, unsigned orientation,
                  Image& out) {
  const bool swap = orientation >= 5 && orientation <= 8;
  const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  resize_image(out, swap ? height : width, swap ? width : height);
  std::uint8_t* rgb = out.pixels.data();
  for (std::size_t y = 0; y < static_cast<std::size_t>(out.height); ++y) {
    for (std::size_t x = 0; x < static_cast<std::size_t>(out.width); ++x, rgb += 3) {
      const std::size_t column = swap ? y : x;
      const std::size_t row = swap ? x : y;
      const std::uint32_t pixel =
          raster[(flip_y ? height - 1 - row : row) * width + (flip_x ? width - 1 - column : column)];
      rgb[0] = static_cast<std::uint8_t>(TIFFGetR(pixel));
      rgb[1] = static_cast<std::uint8_t>(TIFFGetG(pixel));
      rgb[2] = static_cast<std::uint8_t>(TIFFGetB(pixel));
    }
  }
}

}  // namespace

void decode_tiff(std::string_view bytes, Image& out) {
  TiffSource source{.bytes = bytes};
  const Tiff tiff = open(source);
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  require_allowed_size(width, height);
  require_whole_file(tiff.get(), source);
  Conversion conversion(tiff.get(), source);
  const auto raster = conversion.run(source);
  copy_upright(raster.get(), conversion.width(), conversion.height(), conversion.orientation(), out);
}

}  // namespace relic
