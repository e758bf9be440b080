#include "core/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace relic {
namespace {

// Back to the first column and clear to the end of the line.
constexpr std::string_view clear_line = "\r\x1b[K";

constexpr std::string_view kFieldGap = "  ";

bool can_redraw(int descriptor) {
  const char* const kind = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

std::size_t terminal_columns() {
  winsize size{};
  constexpr std::size_t usual = 80;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

void write_ignoring_failure(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN) {
      // Somebody made the descriptor non-blocking and reads slowly; one that never reads must not stop a training.
      pollfd waiting{descriptor, POLLOUT, 0};
      constexpr int milliseconds = 1000;
      if (::poll(&waiting, 1, milliseconds) == 0) {
        return;
      }
    } else if (written == 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

std::string cut_to_width(std::string_view text, std::size_t columns) {
  std::string line;
  std::size_t used = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0U) == 0x80U;
    if (!continues && used++ == columns) {
      // Half a number would read as another one.
      return line.substr(0, text.rfind(kFieldGap, line.size()));
    }
    line += byte < 0x20U || byte == 0x7FU ? ' ' : c;
  }
  return line;
}

Console::Console() : has_terminal_(can_redraw(STDOUT_FILENO)) {}

Console::~Console() { progress({}); }

void Console::print(bool to_stderr, std::string_view text) {
  const int descriptor = to_stderr ? STDERR_FILENO : STDOUT_FILENO;
  if (progress_.empty()) {
    write_ignoring_failure(descriptor, text);
    return;
  }
  write_ignoring_failure(STDOUT_FILENO, clear_line);
  write_ignoring_failure(descriptor, text);
  draw();
}

void Console::progress(std::string_view line) {
  if (!has_terminal_ || (line.empty() && progress_.empty())) {
    return;
  }
  progress_ = line;
  draw();
}

void Console::draw() {
  // The last column stays free: some terminals wrap as soon as it is filled.
  const std::size_t columns = progress_.empty() ? 0 : terminal_columns() - 1;
  write_ignoring_failure(STDOUT_FILENO, std::string(clear_line) + cut_to_width(progress_, columns));
}

}  // namespace relic
