// PNG through libpng: palettes and gray become RGB, alpha and transparency are dropped, gamma is left alone.
#include <png.h>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "data/decode/codecs.h"

namespace relic {
namespace {

struct PngReader {
  png_structp codec = nullptr;
  png_infop info = nullptr;
  std::string_view rest;
  bool ended_early = false;
  std::array<char, 200> message{};

  PngReader() = default;
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&codec, &info, nullptr); }
};

[[noreturn]] void give_up(png_structp codec, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(codec));
  std::strncpy(reader.message.data(), message, reader.message.size() - 1);
  png_longjmp(codec, 1);
}

void ignore_warning(png_structp /*codec*/, png_const_charp /*message*/) {}

void read_bytes(png_structp codec, png_bytep to, std::size_t count) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(codec));
  if (count > reader.rest.size()) {
    reader.ended_early = true;
    png_error(codec, "the file ends early");
  }
  std::memcpy(to, reader.rest.data(), count);
  reader.rest.remove_prefix(count);
}

/// How many passes over the rows there are.
int ask_for_rgb(PngReader& reader) {
  const unsigned type = png_get_color_type(reader.codec, reader.info);
  const unsigned depth = png_get_bit_depth(reader.codec, reader.info);
  if (type == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader.codec);
  if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(reader.codec);
  if (depth == 16) png_set_scale_16(reader.codec);  // rounds
  if ((type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(reader.codec);
  png_set_strip_alpha(reader.codec);
  const int passes = png_set_interlace_handling(reader.codec);
  png_read_update_info(reader.codec, reader.info);
  return passes;
}

void read_rows(PngReader& reader, int passes, Image& out) {
  const std::size_t row_bytes = std::size_t{3} * static_cast<std::size_t>(out.width);
  if (png_get_rowbytes(reader.codec, reader.info) != row_bytes) png_error(reader.codec, "rows of another length");
  for (int pass = 0; pass < passes; ++pass) {
    for (std::size_t y = 0; y < static_cast<std::size_t>(out.height); ++y) {
      png_read_row(reader.codec, out.pixels.data() + y * row_bytes, nullptr);
    }
  }
}

/// Whether all went well; nothing with a destructor lives here, because libpng leaves through longjmp.
bool read_picture(PngReader& reader, Image& out) {
  if (setjmp(png_jmpbuf(reader.codec)) != 0) return false;
  png_set_read_fn(reader.codec, &reader, read_bytes);
  png_set_user_limits(reader.codec, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // ours follows
  png_read_info(reader.codec, reader.info);
  resize_image(out, png_get_image_width(reader.codec, reader.info), png_get_image_height(reader.codec, reader.info));
  const int passes = ask_for_rgb(reader);
  read_rows(reader, passes, out);
  return true;
}

}  // namespace

void decode_png(std::string_view bytes, Image& out) {
  PngReader reader;
  reader.rest = bytes;
  reader.codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, give_up, ignore_warning);
  if (reader.codec != nullptr) reader.info = png_create_info_struct(reader.codec);
  if (reader.info == nullptr) throw std::bad_alloc();
  if (read_picture(reader, out)) return;
  if (reader.ended_early)
    throw DecodeFailure("the file ends early (cut off at byte " + std::to_string(bytes.size()) + ")");
  throw DecodeFailure(reader.message.data());
}

}  // namespace relic
