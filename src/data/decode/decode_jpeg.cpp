// JPEG through libjpeg(-turbo), as PIL does: the accurate integer DCT and smooth chroma, orientation left alone.
// Unlike PIL, what is missing or damaged inside a scan is an error and not gray pixels.
#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>  // jpeglib.h needs it
#include <string>
#include <vector>
// Order matters: jpeglib.h defines what jerror.h uses.
#include <jpeglib.h>
// clang-format off
#include <jerror.h>
// clang-format on

#include "data/decode/codecs.h"

namespace relic {
namespace {

struct JpegReader {
  jpeg_decompress_struct codec{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  std::jmp_buf failed{};
  bool end_may_miss = false;  ///< libjpeg notices by itself what the scan lacks
  bool ended_early = false;
  std::array<char, JMSG_LENGTH_MAX> message{};
  std::vector<JSAMPLE> cmyk_row;

  JpegReader() = default;
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&codec); }
};

JpegReader& reader_of(j_common_ptr codec) { return *static_cast<JpegReader*>(codec->client_data); }

[[noreturn]] void give_up(j_common_ptr codec) {
  JpegReader& reader = reader_of(codec);
  (*codec->err->format_message)(codec, reader.message.data());
  std::longjmp(reader.failed, 1);
}

[[noreturn]] void give_up_at_the_end(j_decompress_ptr codec) {
  JpegReader& reader = *static_cast<JpegReader*>(codec->client_data);
  reader.ended_early = true;
  std::longjmp(reader.failed, 1);
}

/// Warnings (level −1) after which pixels are made up.
void take_message(j_common_ptr codec, int level) {
  if (level >= 0) return;
  switch (codec->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_JPEG_EOF:
      reader_of(codec).ended_early = true;
      give_up(codec);
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
      give_up(codec);
    default:
      break;
  }
}

boolean fill_at_the_end(j_decompress_ptr codec) {
  static constexpr std::array<JOCTET, 2> end_marker = {0xFF, JPEG_EOI};
  if (!static_cast<JpegReader*>(codec->client_data)->end_may_miss) give_up_at_the_end(codec);
  codec->src->next_input_byte = end_marker.data();
  codec->src->bytes_in_buffer = end_marker.size();
  return TRUE;
}

void skip(j_decompress_ptr codec, long count) {
  if (count <= 0) return;
  if (static_cast<std::size_t>(count) > codec->src->bytes_in_buffer) give_up_at_the_end(codec);
  codec->src->next_input_byte += count;
  codec->src->bytes_in_buffer -= static_cast<std::size_t>(count);
}

void set_up(JpegReader& reader, std::string_view bytes) {
  reader.codec.err = jpeg_std_error(&reader.errors);
  reader.errors.error_exit = give_up;
  reader.errors.emit_message = take_message;
  reader.codec.client_data = &reader;
  reader.source.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
  reader.source.bytes_in_buffer = bytes.size();
  reader.source.init_source = [](j_decompress_ptr) {};
  reader.source.term_source = [](j_decompress_ptr) {};
  reader.source.fill_input_buffer = fill_at_the_end;
  reader.source.skip_input_data = skip;
  reader.source.resync_to_restart = jpeg_resync_to_restart;
}

/// a · b / 255, rounded as PIL does.
unsigned multiply(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return ((product >> 8U) + product) >> 8U;
}

/// PIL takes every CMYK JPEG for Adobe's, which holds the inks inverted.
void cmyk_to_rgb(const JSAMPLE* inks, std::uint8_t* rgb, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) {
    const unsigned light = inks[4 * x + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const unsigned absorbed = multiply(255U - inks[4 * x + channel], light);
      rgb[3 * x + channel] = static_cast<std::uint8_t>(light > absorbed ? light - absorbed : 0);
    }
  }
}

void read_rows(JpegReader& reader, Image& out) {
  jpeg_decompress_struct& codec = reader.codec;
  const std::size_t width = codec.output_width;
  const bool cmyk = codec.out_color_space == JCS_CMYK;
  if (cmyk) reader.cmyk_row.resize(4 * width);
  while (codec.output_scanline < codec.output_height) {
    std::uint8_t* const rgb = out.pixels.data() + 3 * width * codec.output_scanline;
    JSAMPROW row = cmyk ? reader.cmyk_row.data() : rgb;
    jpeg_read_scanlines(&codec, &row, 1);
    if (cmyk) cmyk_to_rgb(row, rgb, width);
  }
}

/// Whether all went well; nothing with a destructor lives here, because libjpeg leaves through longjmp.
bool read_picture(JpegReader& reader, Image& out) {
  if (setjmp(reader.failed) != 0) return false;
  jpeg_decompress_struct& codec = reader.codec;
  jpeg_create_decompress(&codec);
  codec.src = &reader.source;
  jpeg_read_header(&codec, TRUE);
  if (codec.num_components == 2) throw DecodeFailure("it has 2 channels, where 1, 3 or 4 are expected");
  codec.out_color_space = codec.num_components == 4 ? JCS_CMYK : JCS_RGB;
  resize_image(out, codec.image_width, codec.image_height);
  jpeg_start_decompress(&codec);  // reads all scans where there are several: the last could be the one that is missing
  // Of one scan, libjpeg itself notices what is missing, unless it is coded arithmetically; the end marker alone may
  // miss.
  reader.end_may_miss = codec.arith_code == FALSE;
  read_rows(reader, out);
  return true;
}

}  // namespace

void decode_jpeg(std::string_view bytes, Image& out) {
  JpegReader reader;
  set_up(reader, bytes);
  if (read_picture(reader, out)) return;
  if (reader.ended_early) throw DecodeFailure("the image data ends early (the file is cut off or damaged)");
  throw DecodeFailure(reader.message.data());
}

}  // namespace relic
