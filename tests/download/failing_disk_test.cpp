// Disks and folders that fail on the way.
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "core/failing_calls.h"
#include "download/download_test.h"

namespace relic::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

bool syncs_fail = false;

class FailingDisk : public Download {
 protected:
  FailingDisk() { spit(elsewhere_ / "small.tgz", small_archive()); }
  std::string url() { return "file://" + (elsewhere_ / "small.tgz").string(); }

  TemporaryFolder elsewhere_;
};

TEST_F(FailingDisk, AWriteThatFailsIsToldWithTheEntry) {
  {
    const FailingCall broken(Call::write, 1, EIO);
    EXPECT_THAT(failure(url()), HasSubstr("cannot unpack 'small/images.bin' into "));
  }
  EXPECT_THAT(folder_.names(), IsEmpty());
  provide(url());
  expect_small();
}

TEST_F(FailingDisk, WithoutASyncNothingIsTakenForWhole) {
  syncs_fail = true;
  const std::string message = failure(url());
  syncs_fail = false;
  EXPECT_EQ(message, "cannot write " + folder_.path().string() + ": Input/output error");
  EXPECT_THAT(folder_.names(), IsEmpty());
}

TEST_F(FailingDisk, AFolderThatAppearsMeanwhileStaysAsItIs) {
  options_.stop = [&] {
    spit(folder_ / "small/mine.txt", "mine");
    return false;
  };
  EXPECT_THAT(failure(url()), HasSubstr("cannot rename the unpacked folder to " + (folder_ / "small").string() + ": "));
  EXPECT_THAT(folder_.names(), ElementsAre("small"));
  EXPECT_EQ(slurp(folder_ / "small/mine.txt"), "mine");
}

TEST_F(FailingDisk, AFolderOfDataSetsThatCannotBeMadeIsTold) {
  spit(folder_ / "file", "");
  const ArchiveSource source{.title = "Small", .url = url(), .folder = "small"};
  const auto below = folder_ / "file/below";
  EXPECT_THAT(message_of<Error>([&] { provide_archive(below, source, options_); }),
              HasSubstr("cannot make the folder " + below.string() + ": Not a directory; check --dataset_path"));
}

TEST_F(FailingDisk, AFolderToUnpackIntoThatCannotBeMadeIsTold) {
  // Of the names that are made from the folder's, that one alone is longer than a file system takes.
  const ArchiveSource source{.title = "Small", .url = url(), .folder = std::string(242, 'x')};
  EXPECT_THAT(message_of<Error>([&] { provide(source); }),
              HasSubstr(source.folder + ".relic-unpacking: File name too long; check the permissions"));
  EXPECT_THAT(folder_.names(), IsEmpty());
}

}  // namespace
}  // namespace relic::testing

// Takes the place of the C library's own in this executable.
extern "C" int syncfs(int descriptor) noexcept {
  if (relic::testing::syncs_fail) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_syncfs, descriptor));
}
