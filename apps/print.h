// What the program was asked to print, as against what a training logs.
#pragma once

#include <string>

namespace relic {

/// To standard output. Throws Error where that cannot be written to: it was all that was asked for.
void print(const std::string& text);

}  // namespace relic
