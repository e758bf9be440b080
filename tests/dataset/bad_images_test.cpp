#include "relic/data/bad_images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::slurp;
using testing::TemporaryFolder;

TEST(BadImages, AreToldOnceAndListed) {
  const TemporaryFolder folder;
  std::vector<std::string> told;
  BadImages bad(folder / "bad_images.txt", 10, [&](const std::string& line) { told.push_back(line); });
  bad.add(BadImage("b.jpg: is cut off"));
  bad.add(BadImage("a.jpg: is empty"));
  bad.add(BadImage("b.jpg: is cut off"));
  EXPECT_THAT(told, ElementsAre("b.jpg: is cut off; it is left out", "a.jpg: is empty; it is left out"));
  EXPECT_EQ(slurp(folder / "bad_images.txt"), "b.jpg: is cut off\na.jpg: is empty\n");
  EXPECT_EQ(bad.count(), 2);
}

TEST(BadImages, AListThatCannotBeWrittenIsToldAndEndsNothing) {
  const TemporaryFolder folder;
  std::vector<std::string> told;
  BadImages bad(folder / "absent/bad_images.txt", 10, [&](const std::string& line) { told.push_back(line); });
  bad.add(BadImage("a.jpg: is empty"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_THAT(told[0], ::testing::AllOf(::testing::StartsWith("a.jpg: is empty; it is left out (and not listed: "),
                                        HasSubstr((folder / "absent").string())));
  EXPECT_EQ(bad.count(), 1);
}

TEST(BadImages, TheFirstOverTheLimitIsAnError) {
  const TemporaryFolder folder;
  BadImages bad(folder / "bad_images.txt", 1, [](const std::string&) {});
  bad.add(BadImage("a.jpg: is empty"));
  EXPECT_THAT(message_of<Error>([&] { bad.add(BadImage("b.jpg: is cut off")); }),
              ::testing::AllOf(HasSubstr("--max_bad_images 1"), HasSubstr("b.jpg: is cut off"),
                               HasSubstr((folder / "bad_images.txt").string())));
  EXPECT_EQ(slurp(folder / "bad_images.txt"), "a.jpg: is empty\nb.jpg: is cut off\n");
}

TEST(BadImages, ThoseOfTheRunThatGoesOnAreKnown) {
  const TemporaryFolder folder;
  testing::spit(folder / "bad_images.txt", "a.jpg: is empty\n");
  std::vector<std::string> told;
  BadImages bad(folder / "bad_images.txt", 1, [&](const std::string& line) { told.push_back(line); });
  bad.add(BadImage("a.jpg: is empty"));
  EXPECT_TRUE(told.empty());
  EXPECT_THROW(bad.add(BadImage("b.jpg: is cut off")), Error);
}

TEST(BadImages, ComeFromSeveralThreads) {
  const TemporaryFolder folder;
  BadImages bad(folder / "bad_images.txt", 1000, [](const std::string&) {});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&bad, thread] {
      for (int i = 0; i < 50; ++i) bad.add(BadImage(std::to_string(i + 25 * thread)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(bad.count(), 125);
}

}  // namespace
}  // namespace relic
