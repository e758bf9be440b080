#include "relic/core/folder_lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TemporaryFolder;

bool no_locks = false;
int refusals = 0;

TEST(FolderLock, KeepsOthersOutAndSaysWhoHoldsIt) {
  const TemporaryFolder folder;
  std::optional<FolderLock> first;
  first.emplace(folder.path(), "lock");
  // A second descriptor of the same process is locked out as another process is.
  const std::string message = testing::message_of<Error>([&] { FolderLock(folder.path(), "lock"); });
  EXPECT_THAT(message, AllOf(HasSubstr(folder.path().string()), HasSubstr("process " + std::to_string(::getpid()))));
  first.reset();
  EXPECT_THAT(folder.names(), IsEmpty());
  EXPECT_NO_THROW(FolderLock(folder.path(), "lock"));
}

TEST(FolderLock, TellsItsHolderToWhoOnlyAsks) {
  const TemporaryFolder folder;
  EXPECT_EQ(FolderLock::holder(folder.path(), "lock"), "");
  {
    const FolderLock lock(folder.path(), "lock");
    EXPECT_THAT(FolderLock::holder(folder.path(), "lock"), HasSubstr("process " + std::to_string(::getpid())));
  }
  testing::spit(folder / "lock", "process 1 of a machine that was switched off");
  EXPECT_EQ(FolderLock::holder(folder.path(), "lock"), "");
  EXPECT_THAT(folder.names(), ElementsAre("lock"));
}

TEST(FolderLock, WaitsAMomentForWhoOnlyAsks) {
  const TemporaryFolder folder;
  refusals = 2;
  EXPECT_NO_THROW(FolderLock(folder.path(), "lock"));
  EXPECT_EQ(refusals, 0);
}

TEST(FolderLock, AFileThatAKilledProcessLeftLocksNobodyOut) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path(), "lock");
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_THAT(folder.names(), ElementsAre("lock"));
  EXPECT_NO_THROW(FolderLock(folder.path(), "lock"));
}

TEST(FolderLock, IsNotHeldWhereTheFileSystemKnowsNoLocks) {
  const TemporaryFolder folder;
  no_locks = true;
  const FolderLock first(folder.path(), "lock");
  const FolderLock second(folder.path(), "lock");
  no_locks = false;
  EXPECT_FALSE(first.held());
  EXPECT_FALSE(second.held());
}

TEST(FolderLock, WaitsForTheHolderWhoseNameItTells) {
  const TemporaryFolder folder;
  std::optional<FolderLock> first;
  first.emplace(folder.path(), "lock");
  int pauses = 0;
  const FolderLock second(folder.path(), "lock", [&](const std::string& holder) {
    EXPECT_THAT(holder, HasSubstr("process " + std::to_string(::getpid())));
    if (++pauses == 3) first.reset();
  });
  EXPECT_EQ(pauses, 3);
  EXPECT_THROW(FolderLock(folder.path(), "lock"), Error);
}

TEST(FolderLock, GivesUpWaitingWhereThePauseThrows) {
  const TemporaryFolder folder;
  const FolderLock first(folder.path(), "lock");
  const auto give_up = [](const std::string&) { throw Interrupted(); };
  EXPECT_THROW(FolderLock(folder.path(), "lock", give_up), Interrupted);
  EXPECT_THROW(FolderLock(folder.path(), "lock"), Error);
}

TEST(FolderLock, AFolderThatCannotBeWrittenIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(testing::message_of<Error>([&] { FolderLock(folder / "absent", "lock"); }),
              HasSubstr((folder / "absent/lock").string()));
}

}  // namespace
}  // namespace relic

// Takes the place of the C library's own in this executable: a file system without locks, a lock that somebody has.
extern "C" int flock(int descriptor, int operation) noexcept {
  if (relic::refusals > 0) {
    --relic::refusals;
    errno = EWOULDBLOCK;
    return -1;
  }
  if (relic::no_locks) {
    errno = ENOSYS;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_flock, descriptor, operation));
}
