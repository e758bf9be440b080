#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <iostream>

#include "formats/archives.h"
#include "formats/crc32.h"
#include "relic/core/error.h"
#include "relic/core/random.h"
#include "relic/formats/pth.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::make_archive;
using testing::spit;
using testing::TemporaryFolder;

StateDict small_model() {
  return {{"0.weight", torch::arange(6.0).view({2, 3})},
          {"0.bias", torch::ones({2}, torch::kBFloat16)},
          {"steps", torch::tensor(std::int64_t{1} << 40)}};
}

/// Reads a file of these bytes: true if it is read, false for an Error; anything else ends the test.
bool reads(const std::filesystem::path& path, const std::string& bytes) {
  spit(path, bytes);
  try {
    read_pth(path);
    return true;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return false;
  }
}

TEST(PthDamage, EveryByteOfThePickle) {
  const TemporaryFolder folder;
  const std::string name = std::filesystem::path(RELIC_TEST_DATA) / "pth" / "python_protocol2.pkl";
  const std::string pickle = testing::slurp(name);
  ASSERT_GT(pickle.size(), 300U);
  const std::string data(48, '\1');
  int read = 0;
  int total = 0;
  for (std::size_t i = 0; i < pickle.size(); ++i) {
    for (const int flip : {0x01, 0x04, 0x20, 0x80, 0xff}) {
      std::string damaged = pickle;
      damaged[i] = static_cast<char>(damaged[i] ^ static_cast<char>(flip));
      read += reads(folder / "a.pth", make_archive({{"data.pkl", damaged},
                                                    {"data/0", data},
                                                    {"data/1", data},
                                                    {"data/2", data},
                                                    {"data/3", data},
                                                    {"data/4", data}}));
      ++total;
    }
  }
  std::cout << read << " of " << total << " damaged pickles are still read\n";
}

TEST(PthDamage, PicklesCutAnywhereAreErrors) {
  const TemporaryFolder folder;
  const std::string name = std::filesystem::path(RELIC_TEST_DATA) / "pth" / "python_protocol2.pkl";
  const std::string pickle = testing::slurp(name);
  for (std::size_t size = 0; size < pickle.size(); ++size) {
    EXPECT_FALSE(reads(folder / "a.pth", make_archive({{"data.pkl", pickle.substr(0, size)}}))) << size;
  }
}

TEST(PthDamage, RandomBitsOfTheWholeFile) {
  const TemporaryFolder folder;
  write_state_dict(folder / "whole.pth", small_model());
  const std::string bytes = testing::slurp(folder / "whole.pth");
  CounterRng random(7, 0, 0, 0);
  int read = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = bytes;
    const std::uint32_t at = random.below(static_cast<std::uint32_t>(bytes.size()));
    damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1U << random.below(8)));
    if (reads(folder / "a.pth", damaged)) {
      ++read;
      // What is read in spite of a changed byte (padding, times, flags) must be what was written.
      for (const auto& [name, tensor] : small_model()) {
        const auto found = read_pth(folder / "a.pth").toGenericDict().at(name).toTensor();
        ASSERT_TRUE(torch::equal(found, tensor)) << "byte " << at;
      }
    }
  }
  std::cout << read << " of 2000 damaged files of " << bytes.size() << " bytes are still read, all with right values\n";
}

TEST(PthDamage, FilesCutAnywhereAreErrors) {
  const TemporaryFolder folder;
  write_state_dict(folder / "whole.pth", small_model());
  const std::string bytes = testing::slurp(folder / "whole.pth");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(reads(folder / "a.pth", bytes.substr(0, size))) << size;
  }
}

TEST(PthDamage, AChangedWeightIsNamed) {
  const TemporaryFolder folder;
  write_state_dict(folder / "whole.pth", {{"a", torch::full({1000}, 0.3)}});
  std::string bytes = testing::slurp(folder / "whole.pth");
  const float value = 0.3F;
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&value), sizeof(value)));
  bytes[at + 40] = static_cast<char>(bytes[at + 40] ^ 1);
  spit(folder / "a.pth", bytes);
  try {
    read_pth(folder / "a.pth");
    ADD_FAILURE() << "no Error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("damaged: the checksum of archive/data/0 (4000 bytes at byte " +
                                        std::to_string(at) + ") does not match"));
  }
}

TEST(Crc32, MatchesItsPublishedCheckValue) {
  EXPECT_EQ(crc32("123456789", 9), 0xCBF43926U);
  EXPECT_EQ(crc32("", 0), 0U);
  EXPECT_EQ(crc32("456789", 6, crc32("123", 3)), 0xCBF43926U);
}

}  // namespace
}  // namespace relic
