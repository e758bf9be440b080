#include "stop_signal.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace relic {

namespace {

// A handler can reach nothing but a flag of static storage.
volatile std::sig_atomic_t received = 0;
volatile std::sig_atomic_t interrupted = 0;
volatile std::sig_atomic_t answers = 0;  // to who sits at a terminal

/// What a cluster sends some time before it ends a job.
bool is_warning(int signal) { return signal == SIGUSR1 || signal == SIGUSR2; }

extern "C" void on_stop_signal(int signal) {
  if (signal == SIGINT) {
    if (interrupted != 0) {
      std::signal(SIGINT, SIG_DFL);
      std::raise(SIGINT);
      return;
    }
    interrupted = 1;
    if (answers != 0) {
      constexpr char text[] = "\nstopping: this step is finished and saved first; ^C again ends at once, unsaved\n";
      const int before = errno;
      [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, sizeof(text) - 1);
      errno = before;
    }
  }
  // The status tells of the warning, though SIGTERM comes with it.
  if (received == 0 || (is_warning(signal) && received != SIGINT)) {
    received = signal;
  }
}

constexpr int kRequeue = 75;  // EX_TEMPFAIL of sysexits.h: "try again later"

}  // namespace

void catch_stop_signals() {
  answers = ::isatty(STDERR_FILENO);
  std::signal(SIGINT, on_stop_signal);
  std::signal(SIGTERM, on_stop_signal);
  std::signal(SIGUSR1, on_stop_signal);
  std::signal(SIGUSR2, on_stop_signal);
  if (std::signal(SIGHUP, on_stop_signal) == SIG_IGN) {
    std::signal(SIGHUP, SIG_IGN);  // nohup: it is to live on without its terminal
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

bool stop_requested() { return received != 0; }

std::string stop_name() {
  const char* const name = ::sigabbrev_np(static_cast<int>(received));
  return name == nullptr ? "a signal" : std::string("SIG") + name;
}

int stop_status() {
  const int signal = static_cast<int>(received);
  return is_warning(signal) ? kRequeue : 128 + signal;
}

}  // namespace relic
