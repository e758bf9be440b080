// What ends the program, in words.
#pragma once

#include <exception>
#include <string>

namespace relic {

/// An Error's message as it is; of others, a line that says what they mean here.
std::string error_text(const std::exception& error);

}  // namespace relic
