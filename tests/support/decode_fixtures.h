// Pictures of many file types with the pixels that Pillow gives for them: tests/data/decode/make.py.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "relic/data/image.h"
#include "support/temporary_folder.h"

namespace relic::testing {

struct DecodeFixture {
  std::string name;
  int width = 0;
  int height = 0;
  int tolerance = 0;  ///< how far a decoder may be from Pillow, of 255
  std::string bytes;  ///< the file
  std::string rgb;    ///< height × width × 3

  [[nodiscard]] std::filesystem::path path() const { return std::filesystem::path(RELIC_TEST_DATA) / "decode" / name; }
};

inline std::vector<DecodeFixture> decode_fixtures() {
  const std::filesystem::path folder = std::filesystem::path(RELIC_TEST_DATA) / "decode";
  std::ifstream file(folder / "index.json");
  std::vector<DecodeFixture> fixtures;
  for (const nlohmann::json& entry : nlohmann::json::parse(file)) {
    DecodeFixture fixture{entry["name"], entry["width"], entry["height"], entry["tolerance"], {}, {}};
    fixture.bytes = slurp(fixture.path());
    fixture.rgb = slurp(fixture.path().string() + ".rgb");
    fixtures.push_back(std::move(fixture));
  }
  return fixtures;
}

inline DecodeFixture decode_fixture(const std::string& name) {
  for (DecodeFixture& fixture : decode_fixtures()) {
    if (fixture.name == name) return fixture;
  }
  ADD_FAILURE() << "no picture " << name;
  return {};
}

/// Of 255; 256 for a picture of another size.
inline int largest_difference(const Image& image, const DecodeFixture& fixture) {
  if (image.width != fixture.width || image.height != fixture.height || image.pixels.size() != fixture.rgb.size()) {
    return 256;
  }
  int largest = 0;
  for (std::size_t i = 0; i < fixture.rgb.size(); ++i) {
    largest = std::max(largest, std::abs(int{image.pixels[i]} - int{static_cast<std::uint8_t>(fixture.rgb[i])}));
  }
  return largest;
}

}  // namespace relic::testing
