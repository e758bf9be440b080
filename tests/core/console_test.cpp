#include "core/console.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>

#include "core/redirected.h"
#include "relic/core/log.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::Redirected;
using testing::slurp;
using testing::TemporaryFolder;

const std::string clear = "\r\x1b[K";

/// What `action` sends to a terminal of so many columns that is stdout.
template <class Action>
std::string shown_on_terminal(unsigned short columns, Action action, const char* kind = "xterm") {
  ::setenv("TERM", kind, 1);
  int master = -1;
  int slave = -1;
  winsize size{24, columns, 0, 0};
  termios raw{};
  ::cfmakeraw(&raw);
  if (::openpty(&master, &slave, nullptr, &raw, &size) != 0) {
    ADD_FAILURE() << "no pseudo terminal";
    return {};
  }
  std::string shown;
  {
    const Redirected out(STDOUT_FILENO, slave);
    action();
    std::array<char, 4096> buffer{};
    // The kernel hands a terminal's bytes over by a worker of its own, so they may come a moment later.
    constexpr int quiet = 200;  // milliseconds
    for (pollfd ready{master, POLLIN, 0}; ::poll(&ready, 1, quiet) > 0 && (ready.revents & POLLIN) != 0;) {
      const ssize_t count = ::read(master, buffer.data(), buffer.size());
      shown.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  ::close(master);
  return shown;
}

TEST(Console, ReplacesTheProgressLine) {
  const std::string shown = shown_on_terminal(80, [] {
    Console console;
    EXPECT_TRUE(console.has_terminal());
    console.progress("step 1");
    console.progress("step 2");
  });
  EXPECT_EQ(shown, clear + "step 1" + clear + "step 2" + clear);
}

TEST(Console, ClearsTheProgressLineForALogLineAndRedrawsIt) {
  const std::string shown = shown_on_terminal(80, [] {
    Console console;
    console.print(false, "before\n");
    console.progress("step 1");
    console.print(false, "epoch 1\n");
    console.progress("");
    console.print(false, "after\n");
  });
  EXPECT_EQ(shown, "before\n" + clear + "step 1" + clear + "epoch 1\n" + clear + "step 1" + clear + "after\n");
}

TEST(Console, SendsControlCharactersToTheTerminalAlone) {
  const TemporaryFolder folder;
  const std::string shown = shown_on_terminal(80, [&] {
    const Redirected err(STDERR_FILENO, folder / "err");
    Console console;
    console.progress("step 1");
    console.print(true, "warning: slow\n");
  });
  EXPECT_EQ(slurp(folder / "err"), "warning: slow\n");
  EXPECT_EQ(shown, clear + "step 1" + clear + clear + "step 1" + clear);
}

TEST(Console, CutsTheProgressLineToTheTerminal) {
  const std::string shown = shown_on_terminal(10, [] {
    Console console;
    console.progress("0123456789abc");
  });
  EXPECT_EQ(shown, clear + "012345678" + clear);
}

TEST(Console, DrawsNoProgressOnADumbTerminal) {
  const std::string shown = shown_on_terminal(
      80,
      [] {
        Console console;
        console.progress("step 1");
        console.print(false, "epoch 1\n");
      },
      "dumb");
  EXPECT_EQ(shown, "epoch 1\n");
}

TEST(Console, CutsBetweenCharactersAndNotInside) {
  EXPECT_EQ(cut_to_width("größer", 3), "grö");
  EXPECT_EQ(cut_to_width("größer", 4), "größ");
  EXPECT_EQ(cut_to_width("abc", 3), "abc");
  EXPECT_EQ(cut_to_width("abc", 0), "");
  EXPECT_EQ(cut_to_width("loss 1.25  kl 0.5  lr 1", 14), "loss 1.25");
  for (const std::size_t columns : {17U, 18U, 19U, 22U}) {
    EXPECT_EQ(cut_to_width("loss 1.25  kl 0.5  lr 1", columns), "loss 1.25  kl 0.5");
  }
  EXPECT_EQ(cut_to_width("loss 1.25  kl 0.5  lr 1", 23), "loss 1.25  kl 0.5  lr 1");
  EXPECT_EQ(cut_to_width("loss 1.25  kl 0.5", 4), "loss");
  EXPECT_EQ(cut_to_width("a\nb\x1b[2Jc", 80), "a b [2Jc");
}

TEST(LogOnATerminal, RemovesTheProgressLineAtItsEnd) {
  const std::string shown = shown_on_terminal(80, [] {
    Log log;
    EXPECT_TRUE(log.has_terminal());
    log.progress("step 1");
    log.info("epoch 1");
  });
  EXPECT_EQ(shown, clear + "step 1" + clear + "epoch 1\n" + clear + "step 1" + clear);
}

}  // namespace
}  // namespace relic
