// What is said of pictures that are damaged, cut off or of a kind that is not read, each made wrong in one place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "data/decode/decode.h"
#include "relic/core/error.h"
#include "support/bmp.h"
#include "support/decode_fixtures.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using testing::bmp;
using testing::decode_fixture;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::spit;
using ::testing::StartsWith;
using testing::TemporaryFolder;

/// The longest array that there is memory for. Arrays alone are refused, so that a message can still be put together.
std::size_t longest_array = std::numeric_limits<std::size_t>::max();

class LittleMemory {
 public:
  explicit LittleMemory(std::size_t bytes) { longest_array = bytes; }
  ~LittleMemory() { longest_array = std::numeric_limits<std::size_t>::max(); }
  LittleMemory(const LittleMemory&) = delete;
  LittleMemory& operator=(const LittleMemory&) = delete;
};

std::string refusal(const std::string& bytes) {
  Image out;
  std::string message = message_of<Error>([&] { decode_image(bytes, "here", out); });
  EXPECT_THAT(message, AllOf(StartsWith("here: "), EndsWith("remove it"), Not(HasSubstr("\n"))));
  return message;
}

struct RefusedImage {
  std::string bytes;
  std::string words;
};

void expect_refused(const std::string& type, const std::vector<RefusedImage>& refusals) {
  for (const auto& [bytes, words] : refusals) {
    SCOPED_TRACE(words);
    std::string expected = "no readable " + type;
    expected.append(" image: ").append(words);
    EXPECT_THAT(refusal(bytes), HasSubstr(expected));
  }
}

/// `bytes` with others in place of those from `offset` on.
std::string with(std::string bytes, std::size_t offset, std::string_view others) {
  return bytes.replace(offset, others.size(), others);
}

/// The lowest byte first.
std::string number(std::uint32_t value, unsigned bytes) {
  std::string text;
  for (unsigned i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xFFU);
  return text;
}

/// A black TIFF of 8 by 8 gray pixels, with other values for some of its tags.
std::string tiff(const std::map<std::uint32_t, std::uint32_t>& changed = {}) {
  // Size, bits, compression, photometric interpretation, strip's offset, samples, strip's rows, strip's bytes.
  std::map<std::uint32_t, std::uint32_t> tags = {{256, 8},   {257, 8}, {258, 8}, {259, 1}, {262, 1},
                                                 {273, 122}, {277, 1}, {278, 8}, {279, 64}};
  for (const auto& [tag, value] : changed) tags.at(tag) = value;
  std::string file = "II*\0\x08\0\0\0"s + number(static_cast<std::uint32_t>(tags.size()), 2);
  for (const auto& [tag, value] : tags) file += number(tag, 2) + number(4, 2) + number(1, 4) + number(value, 4);
  return file + number(0, 4) + std::string(tags.at(279), '\0');
}

TEST(RefusedImages, ABitmapIsToldWhatIsWrongInItsHeader) {
  const std::string picture = bmp(2, 2, {9, 8, 7});
  expect_refused("BMP", {{with(picture, 18, "\0"s), "its header says no size"},
                         {with(picture, 22, "\0"s), "its header says no size"},
                         {with(picture, 14, "\x14"), "its header is damaged"},
                         {with(picture, 14, "\x7D"), "its header is damaged"},
                         {with(picture, 28, "\x05"), "5 bits a pixel are not read"},
                         {with(picture, 10, "\x35"), "its pixels would begin inside of its header"},
                         {with(picture, 30, "\x01"), "its compression (type 1) is not read"},
                         {picture.substr(0, 60), "the file ends early (cut off at byte 60 of 70)"}});
}

TEST(RefusedImages, AJpegIsToldWhatIsWrongInItsFrame) {
  const std::string two_channels =
      "\xFF\xD8\xFF\xC0\0\x0E\x08\0\2\0\2\2\1\x11\0\2\x11\0\xFF\xDA\0\x0A\2\1\0\2\0\0\x3F\0"s;
  const std::string no_rows = "\xFF\xD8\xFF\xC0\0\x0B\x08\0\0\0\2\1\1\x11\0"s;
  expect_refused("JPEG",
                 {{two_channels, "it has 2 channels, where 1, 3 or 4 are expected"}, {no_rows, "Empty JPEG image"}});
}

TEST(RefusedImages, APngIsToldWhereItEndsOrWhichPartIsDamaged) {
  const std::string picture = decode_fixture("rgb.png").bytes;
  expect_refused("PNG", {{picture.substr(0, 60), "the file ends early (cut off at byte 60)"},
                         {with(picture, 29, "\0\0\0\0"s), "IHDR: CRC error"}});
}

TEST(RefusedImages, ATiffIsToldWhatIsWrongInHeaderTagsOrPixels) {
  Image out;
  ASSERT_NO_THROW(decode_image(tiff(), "here", out));
  expect_refused("TIFF", {{"II*\0\0\0\0\0"s, "its header is damaged"},
                          {tiff().substr(0, 6), "the file ends early (cut off at byte 6, where more is told of)"},
                          {tiff().substr(0, 100), "the file ends early (cut off at byte 100, where more is told of)"},
                          {tiff().substr(0, 150), "the file ends early (cut off at byte 150, where more is told of)"},
                          {tiff({{273, 0}}), "part 0 of its image data is missing"},
                          {tiff({{258, 32}, {279, 256}}), "Sorry, can not handle images with 32-bit samples"},
                          // A fax of nothing but zeros is cut off in its first row, of which libtiff says no word.
                          {tiff({{258, 1}, {259, 4}, {279, 4}}), "its image data is damaged"}});
}

TEST(RefusedImages, AWebPIsToldWhatIsWrongInHeaderOrPixels) {
  const std::string picture = decode_fixture("lossless.webp").bytes;
  const std::string animation = "RIFF\x16\0\0\0WEBPVP8X\x0A\0\0\0\2\0\0\0\1\0\0\1\0\0"s;
  expect_refused(
      "WebP", {{picture.substr(0, 100), "the file ends early (cut off at byte 100 of 876)"},
               {with(picture, 20, "x"), "its header is damaged"},
               {with(picture, 25, std::string(picture.size() - 25, '\xFF')), "the image data is damaged or ends early"},
               {animation, "it is an animation, which is not read"}});
}

TEST(RefusedImages, WhatMemoryIsTooShortForIsTold) {
  const TemporaryFolder folder;
  spit(folder / "a.tif", std::string(1000, '\0'));
  const std::string picture = tiff();  // decoded into an array of 256 bytes
  Image out;
  std::string reading;
  std::string decoding;
  {
    const LittleMemory little_memory(200);
    reading = message_of<Error>([&] { decode_image_file(folder / "a.tif", out); });
    decoding = message_of<Error>([&] { decode_image(picture, "here", out); });
  }
  EXPECT_EQ(reading,
            (folder / "a.tif").string() + ": not enough memory to read its 1000 bytes; use fewer workers or remove it");
  EXPECT_EQ(decoding, "here: not enough memory to decode 8 by 8 pixels; use fewer workers or remove it");
}

}  // namespace
}  // namespace relic

// These take the place of the standard library's own in this executable.
void* operator new[](std::size_t size) {
  if (size > relic::longest_array) throw std::bad_alloc();
  return ::operator new(size);
}
void operator delete[](void* array) noexcept { ::operator delete(array); }
void operator delete[](void* array, std::size_t /*size*/) noexcept { ::operator delete(array); }
