#include "core/failing_calls.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>

namespace relic::testing {
namespace {

struct Plan {
  Call call = Call::write;
  int calls_left = 0;
  int reason = 0;
};

std::optional<Plan>& plan() {
  static std::optional<Plan> current;
  return current;
}

std::size_t& longest_write() {
  static std::size_t bytes = std::numeric_limits<std::size_t>::max();
  return bytes;
}

bool must_fail(Call call) {
  if (!plan() || plan()->call != call || --plan()->calls_left > 0) {
    return false;
  }
  errno = plan()->reason;
  return true;
}

}  // namespace

FailingCall::FailingCall(Call call, int nth, int reason) { plan() = Plan{call, nth, reason}; }
FailingCall::~FailingCall() { plan().reset(); }

ShortWrites::ShortWrites(std::size_t bytes) { longest_write() = bytes; }
ShortWrites::~ShortWrites() { longest_write() = std::numeric_limits<std::size_t>::max(); }

}  // namespace relic::testing

// These take the place of the C library's own in this executable.
extern "C" {

ssize_t write(int descriptor, const void* data, std::size_t size) {
  using namespace relic::testing;
  if (descriptor > STDERR_FILENO) {
    if (must_fail(Call::write)) {
      return -1;
    }
    size = std::min(size, longest_write());
  }
  return ::syscall(SYS_write, descriptor, data, size);
}

int fsync(int descriptor) {
  using namespace relic::testing;
  return must_fail(Call::fsync) ? -1 : static_cast<int>(::syscall(SYS_fsync, descriptor));
}

int rename(const char* from, const char* to) noexcept {
  using namespace relic::testing;
  return must_fail(Call::rename) ? -1 : static_cast<int>(::syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0));
}
}
