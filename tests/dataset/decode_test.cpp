#include "data/decode/decode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "relic/core/error.h"
#include "relic/core/random.h"
#include "support/decode_fixtures.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::decode_fixture;
using testing::decode_fixtures;
using testing::DecodeFixture;
using ::testing::HasSubstr;
using testing::largest_difference;
using testing::message_of;
using ::testing::Not;
using ::testing::StartsWith;

/// Whether `bytes` were decoded; else the Error was one line that begins with their name.
bool decodes(std::string_view bytes, Image& out) {
  try {
    decode_image(bytes, "here", out);
    return true;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(StartsWith("here: "), Not(HasSubstr("\n"))));
    return false;
  }
}

TEST(Decode, GivesPillowsPixels) {
  Image out;
  for (const DecodeFixture& fixture : decode_fixtures()) {
    SCOPED_TRACE(fixture.name);
    ASSERT_NO_THROW(decode_image_file(fixture.path(), out));
    EXPECT_LE(largest_difference(out, fixture), fixture.tolerance);
  }
}

TEST(Decode, GivesTheWholePictureOrAnErrorWhereverAFileIsCut) {
  Image out;
  for (const DecodeFixture& fixture : decode_fixtures()) {
    SCOPED_TRACE(fixture.name);
    std::size_t refused = 0;
    for (std::size_t length = 0; length < fixture.bytes.size(); ++length) {
      if (decodes(std::string_view(fixture.bytes).substr(0, length), out)) {
        ASSERT_LE(largest_difference(out, fixture), fixture.tolerance) << "cut to " << length;
      } else {
        ++refused;
      }
    }
    EXPECT_GT(refused, fixture.bytes.size() * 9 / 10 - 20);  // the ends of some can be spared
  }
}

TEST(Decode, ReadsAFileWithMoreBehindItsImage) {
  Image out;
  for (const DecodeFixture& fixture : decode_fixtures()) {
    SCOPED_TRACE(fixture.name);
    EXPECT_TRUE(decodes(fixture.bytes + std::string("\0\0behind\xFF\xD8\xFF it", 14), out));
    EXPECT_LE(largest_difference(out, fixture), fixture.tolerance);
  }
}

TEST(Decode, EndsWellOnDamagedFiles) {
  Image out;
  std::uint32_t number = 0;
  std::size_t refused = 0;
  for (const DecodeFixture& fixture : decode_fixtures()) {
    CounterRng random(11, number++, 0, 0);
    for (int round = 0; round < 60; ++round) {
      std::string bytes = fixture.bytes;
      for (int flip = 0; flip <= round % 3; ++flip) {
        // Every other one among the first bytes, where the headers are.
        const std::size_t range = flip % 2 == 0 ? std::min<std::size_t>(bytes.size(), 250) : bytes.size();
        bytes[random.below(static_cast<std::uint32_t>(range))] = static_cast<char>(random.below(256));
      }
      if (!decodes(bytes, out)) {
        ++refused;
        continue;
      }
      EXPECT_EQ(out.pixels.size(), std::size_t{3} * static_cast<unsigned>(out.width * out.height));
    }
  }
  EXPECT_GT(refused, 100U * number / 10);
}

TEST(Decode, RefusesAJpegWhoseScanLacksDataBeforeItsEnd) {
  const std::string bytes = decode_fixture("rgb.jpg").bytes;
  Image out;
  const std::string hollow = bytes.substr(0, bytes.size() / 10 * 9) + "\xFF\xD9";
  EXPECT_THAT(message_of<Error>([&] { decode_image(hollow, "here", out); }),
              HasSubstr("no readable JPEG image: the image data ends early"));
}

TEST(Decode, ReadsAJpegThatLacksItsEndMarkerAlone) {
  const DecodeFixture fixture = decode_fixture("rgb.jpg");
  Image out;
  EXPECT_TRUE(decodes(std::string_view(fixture.bytes).substr(0, fixture.bytes.size() - 2), out));
  EXPECT_LE(largest_difference(out, fixture), fixture.tolerance);
}

TEST(Decode, PrintsNothing) {
  const std::vector<DecodeFixture> fixtures = decode_fixtures();
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  Image out;
  for (const DecodeFixture& fixture : fixtures) {
    for (std::size_t part = 1; part <= 16; ++part) {
      std::string bytes = fixture.bytes.substr(0, fixture.bytes.size() * part / 16);
      decodes(bytes, out);
      bytes = fixture.bytes;
      bytes[bytes.size() * part / 17] ^= 0x55;
      decodes(bytes, out);
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Decode, GivesTheSameInManyThreads) {
  const std::vector<DecodeFixture> fixtures = decode_fixtures();
  std::vector<int> worst(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < worst.size(); ++thread) {
    threads.emplace_back([&, thread] {
      Image out;
      for (std::size_t i = 0; i < 4 * fixtures.size(); ++i) {
        const DecodeFixture& fixture = fixtures[(i * 7 + thread * 13) % fixtures.size()];
        decode_image(fixture.bytes, fixture.name, out);
        worst[thread] = std::max(worst[thread], largest_difference(out, fixture) - fixture.tolerance);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(worst, ::testing::Each(::testing::Le(0)));
}

}  // namespace
}  // namespace relic
