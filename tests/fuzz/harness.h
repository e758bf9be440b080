// What all fuzzers share: each defines `try_input`, which libFuzzer calls with one input after another.
#pragma once

#include <string_view>

#include "relic/core/error.h"

namespace relic::testing {

/// Does with an input what the fuzzer is for.
void try_input(std::string_view input);

/// Ends the process, which libFuzzer takes for a finding, unless `holds`.
void require(bool holds, std::string_view what);

/// Runs an action that may throw an Error of one line; any other exception is left to libFuzzer, which finds it.
template <class Action>
void only_errors(Action action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string_view message = error.what();
    require(!message.empty() && message.find('\n') == std::string_view::npos, "an error is one line");
  }
}

}  // namespace relic::testing
