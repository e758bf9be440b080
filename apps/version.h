// What this program was built from and with.
#pragma once

#include <string>

namespace relic {

/// Lines with the versions of relic_train (and its git commit), LibTorch, CUDA and the compiler.
std::string version_text();
/// The same in one line.
std::string build_text();

}  // namespace relic
