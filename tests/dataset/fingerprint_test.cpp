#include "relic/data/fingerprint.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/memory_dataset.h"
#include "relic/data/dataset.h"
#include "support/bmp.h"
#include "support/hashed_images.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::bmp;
using testing::HashedImages;
using testing::spit;
using testing::TemporaryFolder;

MemoryDataset in_memory(std::vector<std::uint8_t> pixels, std::vector<std::uint8_t> labels) {
  return {2, std::move(pixels), std::move(labels), {"a", "b"}};
}

TEST(Fingerprint, SeesPixelsAndClassesOfImagesInMemory) {
  const std::vector<std::uint8_t> pixels(24, 7);
  const auto whole = fingerprint(in_memory(pixels, {0, 1}));
  EXPECT_EQ(fingerprint(in_memory(pixels, {0, 1})), whole);
  EXPECT_NE(fingerprint(in_memory(pixels, {1, 0})), whole);
  auto others = pixels;
  others.back() ^= 1U;
  EXPECT_NE(fingerprint(in_memory(others, {0, 1})), whole);
}

TEST(Fingerprint, SeesPixelsAndPassesOverImagesThatCannotBeRead) {
  HashedImages images({{3, 4}, {5, 6}});
  const auto whole = fingerprint(images);
  EXPECT_NE(fingerprint(HashedImages({{3, 4}, {6, 5}})), whole);
  EXPECT_NE(fingerprint(HashedImages({{3, 4}})), whole);
  images.broken.insert(1);
  EXPECT_NE(fingerprint(images), whole);
}

std::uint64_t of_folder(const std::filesystem::path& folder) {
  return fingerprint(*open_dataset({.name = "folder", .path = folder, .split = Split::pretraining}));
}

TEST(Fingerprint, SeesNamesAndContentsOfFilesAndNotWhereTheFolderLies) {
  TemporaryFolder folder;
  const auto fill = [&](const std::string& where, const std::string& last, std::uint8_t blue = 3) {
    for (const std::string& name : {std::string("cat/1.bmp"), std::string("dog/1.bmp"), last}) {
      spit(folder / where / name, bmp(4, 3, {1, 2, blue}));
    }
    return of_folder(folder / where);
  };
  const auto whole = fill("here", "dog/2.bmp");
  EXPECT_EQ(fill("there", "dog/2.bmp"), whole);
  EXPECT_NE(fill("renamed", "dog/3.bmp"), whole);
  EXPECT_NE(fill("moved", "cat/2.bmp"), whole);
  EXPECT_NE(fill("other", "dog/2.bmp", 4), whole);
}

}  // namespace
}  // namespace relic
