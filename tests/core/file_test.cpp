#include "relic/core/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "core/failing_calls.h"
#include "relic/core/error.h"
#include "support/file_size_limit.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::Call;
using ::testing::ElementsAre;
using testing::FailingCall;
using testing::FileSizeLimit;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Not;
using testing::ShortWrites;
using testing::slurp;
using testing::spit;
using testing::TemporaryFolder;

struct Failure {
  Call call;
  int nth;
  int reason;
  std::string words;
};
void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.words << ", call " << failure.nth; }

class AtomicFileFailure : public ::testing::TestWithParam<Failure> {};

TEST_P(AtomicFileFailure, LeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  const auto path = folder / "encoder.pth";
  spit(path, "old");
  std::string message;
  {
    const FailingCall failing(GetParam().call, GetParam().nth, GetParam().reason);
    message = message_of<Error>([&] {
      AtomicFile file(path);
      file.write("first half, ");
      file.write("second half");
      file.commit();
    });
  }
  EXPECT_EQ(slurp(path), "old");
  EXPECT_THAT(folder.names(), ElementsAre("encoder.pth"));
  EXPECT_THAT(message, HasSubstr(path.string()));
  EXPECT_THAT(message, HasSubstr(GetParam().words));
  EXPECT_THAT(message, Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(EveryCall, AtomicFileFailure,
                         ::testing::Values(Failure{Call::write, 1, ENOSPC, "No space left on device"},
                                           Failure{Call::write, 2, ENOSPC, "No space left on device"},
                                           Failure{Call::write, 1, EIO, "Input/output error"},
                                           Failure{Call::write, 2, EDQUOT, "Disk quota exceeded"},
                                           Failure{Call::fsync, 1, EIO, "Input/output error"},
                                           Failure{Call::rename, 1, EACCES, "Permission denied"}));

TEST(AtomicFile, ReplacesTheFileOnlyWhenCommitted) {
  const TemporaryFolder folder;
  const auto path = folder / "encoder.pth";
  spit(path, "old");
  AtomicFile file(path);
  file.write("new");
  EXPECT_EQ(slurp(path), "old");
  file.commit();
  EXPECT_EQ(slurp(path), "new");
  EXPECT_THAT(folder.names(), ElementsAre("encoder.pth"));
}

TEST(AtomicFile, WritesEverythingThroughShortWrites) {
  const TemporaryFolder folder;
  std::string contents;
  for (int i = 0; i < 10000; ++i) {
    contents += static_cast<char>(i * 31);
  }
  const ShortWrites few(7);
  write_file(folder / "bytes", contents);
  EXPECT_EQ(slurp(folder / "bytes"), contents);
}

TEST(AtomicFile, ReportsAFailedSyncOfTheFolder) {
  const TemporaryFolder folder;
  const FailingCall failing(Call::fsync, 2, EIO);
  const std::string message = message_of<UnsyncedFile>([&] { write_file(folder / "encoder.pth", "new"); });
  EXPECT_THAT(message, HasSubstr("Input/output error"));
  EXPECT_EQ(slurp(folder / "encoder.pth"), "new");
}

TEST(AtomicFile, AcceptsAFolderThatCannotBeSynced) {
  const TemporaryFolder folder;
  const FailingCall failing(Call::fsync, 2, EINVAL);
  write_file(folder / "encoder.pth", "new");
  EXPECT_EQ(slurp(folder / "encoder.pth"), "new");
}

TEST(AtomicFile, GoneUncommittedLeavesNothing) {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder / "encoder.pth");
    file.write("half");
    ASSERT_EQ(folder.names().size(), 1U);
    EXPECT_TRUE(is_temporary_file(folder / folder.names()[0]));
  }
  EXPECT_TRUE(folder.names().empty());
  EXPECT_FALSE(is_temporary_file(folder / "encoder.pth"));
}

TEST(AtomicFile, StepsAsideForATemporaryFileOfAnother) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "a");
  AtomicFile second(folder / "a");
  first.write("first");
  second.write("second");
  first.commit();
  second.commit();
  EXPECT_EQ(slurp(folder / "a"), "second");
  EXPECT_THAT(folder.names(), ElementsAre("a"));
}

TEST(AtomicFile, HasTheUsualPermissions) {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file(folder / "encoder.pth", "new");
  ::umask(before);
  struct stat status = {};
  ::stat((folder / "encoder.pth").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(AtomicFile, KeepsALinkAndReplacesWhatItPointsTo) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "disk");
  spit(folder / "disk" / "real", "old");
  std::filesystem::create_symlink(folder / "disk" / "real", folder / "link");
  write_file(folder / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(slurp(folder / "disk" / "real"), "new");
}

TEST(AtomicFile, SaysThatTheFolderIsMissing) {
  const TemporaryFolder folder;
  const std::string message = message_of<Error>([&] { const AtomicFile file(folder / "models" / "encoder.pth"); });
  EXPECT_THAT(message, HasSubstr("there is no folder " + (folder / "models").string()));
  EXPECT_THAT(message, HasSubstr("encoder.pth"));
}

TEST(AtomicFile, StopsAtTheLimitOnFileSizes) {
  const TemporaryFolder folder;
  spit(folder / "encoder.pth", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<Error>([&] { write_file(folder / "encoder.pth", std::string(5000, 'x')); });
  }
  EXPECT_THAT(message, HasSubstr("File too large"));
  EXPECT_THAT(message, HasSubstr("ulimit -f"));
  EXPECT_EQ(slurp(folder / "encoder.pth"), "old");
  EXPECT_THAT(folder.names(), ElementsAre("encoder.pth"));
}

TEST(AppendFile, GrowsAndIsFoundAgain) {
  const TemporaryFolder folder;
  {
    AppendFile file(folder / "metrics");
    file.append("a\n");
    file.append("b\n");
    EXPECT_EQ(file.size(), 4U);
  }
  AppendFile again(folder / "metrics");
  again.append("c\n");
  again.sync();
  EXPECT_EQ(slurp(folder / "metrics"), "a\nb\nc\n");
}

TEST(AppendFile, HoldsNoHalfLinesOnAFullDisk) {
  const TemporaryFolder folder;
  AppendFile file(folder / "metrics");
  file.append("whole\n");
  {
    const ShortWrites few(3);
    const FailingCall failing(Call::write, 2, ENOSPC);
    const std::string message = message_of<Error>([&] { file.append("cut off\n"); });
    EXPECT_THAT(message, HasSubstr("No space left on device"));
    EXPECT_THAT(message, HasSubstr((folder / "metrics").string()));
  }
  file.append("next\n");
  EXPECT_EQ(slurp(folder / "metrics"), "whole\nnext\n");
}

TEST(AppendFile, StopsAtTheLimitOnFileSizesWithoutHalfALine) {
  const TemporaryFolder folder;
  AppendFile file(folder / "metrics");
  file.append("whole\n");
  {
    const FileSizeLimit limit(10);
    EXPECT_THAT(message_of<Error>([&] { file.append("cut off\n"); }), HasSubstr("File too large"));
  }
  EXPECT_EQ(slurp(folder / "metrics"), "whole\n");
}

TEST(ReadFile, ReadsWholeFilesAndBeginnings) {
  const TemporaryFolder folder;
  const std::string contents("a\0b\nc", 5);
  spit(folder / "f", contents);
  spit(folder / "empty", "");
  EXPECT_EQ(read_file(folder / "f"), contents);
  EXPECT_EQ(read_file(folder / "f", 2), contents.substr(0, 2));
  EXPECT_EQ(read_file(folder / "f", 100), contents);
  EXPECT_EQ(read_file(folder / "empty"), "");
}

TEST(ReadFile, ReadsPipesToTheirEnd) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const std::string contents(200000, 'x');
  std::thread writer([&] { std::ofstream(folder / "pipe") << contents; });
  EXPECT_EQ(read_file(folder / "pipe"), contents);
  writer.join();
}

TEST(ReadFile, NamesWhatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<Error>([&] { read_file(folder / "absent"); }),
              HasSubstr((folder / "absent").string() + ": No such file or directory"));
  EXPECT_THAT(message_of<Error>([&] { read_file(folder.path()); }), HasSubstr("Is a directory"));
}

TEST(TruncateFile, CutsAndNeverGrows) {
  const TemporaryFolder folder;
  spit(folder / "f", "0123456789");
  truncate_file(folder / "f", 4);
  EXPECT_EQ(slurp(folder / "f"), "0123");
  const std::string message = message_of<Error>([&] { truncate_file(folder / "f", 5); });
  EXPECT_THAT(message, HasSubstr((folder / "f").string()));
  EXPECT_EQ(slurp(folder / "f"), "0123");
}

TEST(TruncateFile, NamesWhatCannotBeCut) {
  const TemporaryFolder folder;
  spit(folder / "f", "0123");
  EXPECT_EQ(message_of<Error>([&] { truncate_file(folder / "f", 5); }),
            "cannot cut " + (folder / "f").string() + " to 5 bytes: it has only 4");
  EXPECT_EQ(message_of<Error>([&] { truncate_file(folder / "absent", 5); }),
            "cannot cut " + (folder / "absent").string() + ": No such file or directory; check the path");
}

}  // namespace
}  // namespace relic
