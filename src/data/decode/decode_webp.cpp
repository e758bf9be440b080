// WebP through libwebp; alpha is dropped.
#include <webp/decode.h>

#include <cstddef>
#include <cstdint>

#include "data/decode/byte_view.h"
#include "data/decode/codecs.h"

namespace relic {

void decode_webp(std::string_view bytes, Image& out) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::uint64_t file_bytes = std::uint64_t{8} + ByteView(bytes).u32(4);  // as the RIFF header says
  if (bytes.size() < file_bytes) {
    throw DecodeFailure("the file ends early (cut off at byte " + std::to_string(bytes.size()) + " of " +
                        std::to_string(file_bytes) + ")");
  }
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, bytes.size(), &features) != VP8_STATUS_OK) throw DecodeFailure("its header is damaged");
  if (features.has_animation != 0) throw DecodeFailure("it is an animation, which is not read");
  resize_image(out, static_cast<std::uint64_t>(features.width), static_cast<std::uint64_t>(features.height));
  if (WebPDecodeRGBInto(data, bytes.size(), out.pixels.data(), out.pixels.size(), 3 * out.width) == nullptr) {
    throw DecodeFailure("the image data is damaged or ends early");
  }
}

}  // namespace relic
