// The checksum and the line that tells how far a transfer is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/download/md5.h"
#include "data/download/transfer_progress.h"
#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic::testing {
namespace {

std::string md5_of(const std::string& contents) {
  const TemporaryFolder folder;
  spit(folder / "file", contents);
  return md5_of_file(folder / "file", [](std::uint64_t) {});
}

TEST(Md5, IsThatOfTheSumsInRfc1321) {
  EXPECT_EQ(md5_of(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_of("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(md5_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Md5, OfAFileLargerThanWhatIsReadAtATime) {
  // head -c 3000000 /dev/zero | md5sum
  EXPECT_EQ(md5_of(std::string(3000000, '\0')), "c9fc2d3dd83ab67a129ac10b09c9ebbb");
}

TEST(Md5, OfWhatCannotBeReadIsToldWithTheReason) {
  const TemporaryFolder folder;  // it can be opened
  EXPECT_THAT(message_of<Error>([&] { md5_of_file(folder.path(), [](std::uint64_t) {}); }),
              ::testing::HasSubstr("cannot read " + folder.path().string() + ": Is a directory"));
}

TEST(TransferLine, TellsRateAndTimeLeft) {
  EXPECT_EQ(transfer_line("downloading Small", 76'500'000, 170'000'000, 3'400'000),
            "downloading Small  45 %  76.5 MB of 170.0 MB  3.4 MB/s  28 s left");
}

TEST(TransferLine, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(transfer_line("downloading Small", 76'500'000, 0, 3'400'000), "downloading Small  76.5 MB  3.4 MB/s");
  EXPECT_EQ(transfer_line("downloading Small", 0, 170'000'000, 0), "downloading Small  0 %  0 B of 170.0 MB  0 B/s");
}

}  // namespace
}  // namespace relic::testing
