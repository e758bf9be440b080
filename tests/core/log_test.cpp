#include "relic/core/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <thread>
#include <vector>

#include "core/failing_calls.h"
#include "core/redirected.h"
#include "relic/core/error.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::Call;
using testing::FailingCall;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::message_of;
using testing::Redirected;
using testing::slurp;
using testing::TemporaryFolder;

struct Output {
  std::string out;
  std::string err;
};

/// What `action` prints with stdout and stderr going to files.
template <class Action>
Output printed_by(Action action) {
  const TemporaryFolder folder;
  {
    const Redirected out(STDOUT_FILENO, folder / "out");
    const Redirected err(STDERR_FILENO, folder / "err");
    action();
  }
  return {slurp(folder / "out"), slurp(folder / "err")};
}

TEST(Log, SendsInformationToStdoutAndTroubleToStderr) {
  const Output output = printed_by([] {
    Log log;
    log.debug("hidden");
    log.info("epoch 1");
    log.warning("slow");
    log.error("broken {}");
  });
  EXPECT_EQ(output.out, "epoch 1\n");
  EXPECT_EQ(output.err, "warning: slow\nerror: broken {}\n");
}

TEST(Log, PrintsNoControlCharactersWithoutATerminal) {
  const Output output = printed_by([] {
    Log log;
    EXPECT_FALSE(log.has_terminal());
    log.progress("step 1");
    log.info("epoch 1");
    log.progress("step 2");
    log.warning("slow");
    log.progress("");
  });
  EXPECT_EQ(output.out, "epoch 1\n");
  EXPECT_EQ(output.err, "warning: slow\n");
}

TEST(Log, HidesLinesBelowTheConsolesLevel) {
  const Output quiet = printed_by([] {
    Log log(LogLevel::warning);
    log.info("epoch 1");
    log.warning("slow");
  });
  EXPECT_EQ(quiet.out, "");
  EXPECT_EQ(quiet.err, "warning: slow\n");
  const Output verbose = printed_by([] { Log(LogLevel::debug).debug("detail"); });
  EXPECT_EQ(verbose.out, "detail\n");
}

TEST(Log, WritesEveryLineWithTimeAndLevelToItsFile) {
  const TemporaryFolder folder;
  testing::spit(folder / "train.log", "from before\n");
  printed_by([&] {
    Log log(LogLevel::error);
    log.open_file(folder / "train.log");
    log.debug("detail");
    log.warning("slow");
    log.progress("step 1");
  });
  const std::string stamp = "[0-9]+-[0-9]+-[0-9]+ [0-9]+:[0-9]+:[0-9]+\\.[0-9]+";
  EXPECT_THAT(slurp(folder / "train.log"),
              MatchesRegex("from before\n" + stamp + " debug: detail\n" + stamp + " warning: slow\n"));
}

TEST(Log, ThrowsWhereTheFileCannotBeOpened) {
  const TemporaryFolder folder;
  Log log;
  EXPECT_THAT(message_of<Error>([&] { log.open_file(folder / "absent" / "train.log"); }),
              HasSubstr((folder / "absent").string()));
}

TEST(Log, GoesOnWhenItsDiskIsFullAndSaysSoOnce) {
  const TemporaryFolder folder;
  const Output output = printed_by([&] {
    Log log;
    log.open_file(folder / "train.log");
    const FailingCall failing(Call::write, 1, ENOSPC);
    log.info("epoch 1");
    log.info("epoch 2");
  });
  EXPECT_EQ(output.out, "epoch 1\nepoch 2\n");
  EXPECT_THAT(output.err, HasSubstr((folder / "train.log").string() + ": No space left on device"));
  EXPECT_EQ(std::ranges::count(output.err, '\n'), 1);
}

TEST(Log, ANoteThatCannotBeWrittenIsSaidOnceAndThrowsNothing) {
  const TemporaryFolder folder;
  const Output output = printed_by([&] {
    Log log;
    log.open_file(folder / "train.log");
    const FailingCall failing(Call::write, 1, ENOSPC);
    log.note("what somebody else prints");
    log.info("epoch 2");
  });
  EXPECT_THAT(output.err, HasSubstr((folder / "train.log").string() + ": No space left on device"));
  EXPECT_EQ(std::ranges::count(output.err, '\n'), 1);
}

TEST(Log, GoesOnWithoutStdout) {
  const TemporaryFolder folder;
  {
    const Redirected out(STDOUT_FILENO, folder / "out");
    ::close(STDOUT_FILENO);
    Log log;
    log.open_file(folder / "train.log");
    log.info("nobody listens");
  }
  {
    const Redirected full(STDOUT_FILENO, "/dev/full");
    Log log;
    log.info("nobody listens");
  }
  EXPECT_THAT(slurp(folder / "train.log"), HasSubstr("nobody listens"));
}

TEST(Log, KeepsLinesOfManyThreadsWhole) {
  const Output output = printed_by([] {
    Log log;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < 200; ++i) {
          log.info(std::string(50, static_cast<char>('a' + t)));
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  });
  EXPECT_EQ(output.out.size(), std::size_t{4} * 200 * 51);
  for (std::size_t line = 0; line < output.out.size(); line += 51) {
    ASSERT_EQ(output.out.find_first_not_of(output.out[line], line), line + 50);
    ASSERT_EQ(output.out[line + 50], '\n');
  }
}

}  // namespace
}  // namespace relic
