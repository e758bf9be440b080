// Makes the operating system's calls fail on demand, below the code under test.
#pragma once

#include <cstdint>
#include <string>

namespace relic::testing {

enum class Call : std::uint8_t { write, fsync, rename };

/// While it lives, the `nth` call (counted from 1) from now on, and every later one, fails with `reason`. Calls of
/// write to stdout and stderr do not count. Counts calls of other kinds as they are.
class FailingCall {
 public:
  FailingCall(Call call, int nth, int reason);
  ~FailingCall();
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;
};

/// While it lives, write takes at most so many bytes a call.
class ShortWrites {
 public:
  explicit ShortWrites(std::size_t bytes);
  ~ShortWrites();
  ShortWrites(const ShortWrites&) = delete;
  ShortWrites& operator=(const ShortWrites&) = delete;
};

}  // namespace relic::testing
