#include "data/decode/image_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>

#include "data/decode/decode.h"
#include "relic/core/error.h"
#include "support/decode_fixtures.h"

namespace relic {
namespace {

using namespace std::string_literals;
using testing::decode_fixtures;
using testing::DecodeFixture;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;

TEST(ImageHeader, SaysTypeAndSize) {
  const std::map<std::string, ImageType> types = {{".jpg", ImageType::jpeg},
                                                  {".png", ImageType::png},
                                                  {".webp", ImageType::webp},
                                                  {".bmp", ImageType::bmp},
                                                  {".tif", ImageType::tiff}};
  for (const DecodeFixture& fixture : decode_fixtures()) {
    SCOPED_TRACE(fixture.name);
    const ImageHeader header = read_image_header(fixture.bytes);
    EXPECT_EQ(header.type, types.at(fixture.path().extension()));
    auto width = static_cast<std::uint64_t>(fixture.width);
    auto height = static_cast<std::uint64_t>(fixture.height);
    if (fixture.name >= "orientation_5.tif" && fixture.name <= "orientation_8.tif" && fixture.name.ends_with(".tif")) {
      std::swap(width, height);  // stored lying
    }
    EXPECT_EQ(header.width, width);
    EXPECT_EQ(header.height, height);
  }
}

TEST(ImageHeader, KnowsGifAndWhatIsNone) {
  const ImageHeader gif = read_image_header("GIF89a\x21\x00\x15\x01"s);
  EXPECT_EQ(gif.type, ImageType::gif);
  EXPECT_EQ(gif.width, 33U);
  EXPECT_EQ(gif.height, 277U);
  for (const std::string& bytes : {""s, "B"s, "RIFF"s, "RIFF\x10\0\0\0WAVE"s, "hello, I am a text"s, "\xFF\xD8"s}) {
    EXPECT_EQ(read_image_header(bytes).type, ImageType::unknown) << bytes;
  }
}

TEST(ImageHeader, EndsWellWhereverItIsCut) {
  for (const DecodeFixture& fixture : decode_fixtures()) {
    for (std::size_t length = 0; length < fixture.bytes.size(); ++length) {
      const ImageHeader header = read_image_header(std::string(fixture.bytes, 0, length));
      const bool known = header.width != 0 && header.height != 0;
      const ImageHeader whole = read_image_header(fixture.bytes);
      EXPECT_TRUE(!known || (header.width == whole.width && header.height == whole.height))
          << fixture.name << " cut to " << length;
    }
  }
}

/// Headers alone, of 30,000 by 30,000 pixels (0x7530), as the formats' specifications lay them out.
TEST(Decode, RefusesTooManyPixelsFromTheHeader) {
  const std::string jpeg =
      "\xFF\xD8\xFF\xE1\x00\x08"
      "Exif\0\0\xFF\xC0\x00\x11\x08\x75\x30\x75\x30\x03\x01\x22"s;
  const std::string png = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0"s;
  const std::string webp = "RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x2F\x75\0\x2F\x75\0"s;
  const std::string bmp = "BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x30\x75\0\0\xD0\x8A\xFF\xFF\x01\0\x18\0"s;
  const std::string tiff = "MM\0*\0\0\0\x08\0\x02\x01\0\0\3\0\0\0\1\x75\x30\0\0\x01\x01\0\4\0\0\0\1\0\0\x75\x30"s;
  const std::string big_tiff =
      "II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
      "\0\1\4\0\1\0\0\0\0\0\0\0\x30\x75\0\0\0\0\0\0"
      "\1\1\x10\0\1\0\0\0\0\0\0\0\x30\x75\0\0\0\0\0\0"s;
  for (const std::string& bytes : {jpeg, png, webp, bmp, tiff, big_tiff}) {
    Image out;
    const std::string message = message_of<Error>([&] { decode_image(bytes, "here", out); });
    EXPECT_THAT(message, HasSubstr("30000 by 30000 pixels are more than 178956970"));
    EXPECT_EQ(out.pixels.capacity(), 0U);
  }
}

TEST(Decode, SetsTheLimitWherePillowDoes) {
  // 178,956,970 = 2 · 5 · 17,895,697
  const auto png = [](const std::string& height) {
    return "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x0A"s + height + "\x08\x02\0\0\0"s;
  };
  Image out;
  EXPECT_THAT(message_of<Error>([&] { decode_image(png("\x01\x11\x11\x11"s), "here", out); }),
              Not(HasSubstr("are more than")));
  EXPECT_THAT(message_of<Error>([&] { decode_image(png("\x01\x11\x11\x12"s), "here", out); }),
              HasSubstr("10 by 17895698 pixels are more than 178956970"));
}

}  // namespace
}  // namespace relic
