// Names from files, fit for one line of an error message.
#pragma once

#include <string>
#include <string_view>

namespace relic {

/// At most 80 bytes, control characters as '?', so that a name out of a damaged file cannot break the message or the
/// terminal it is printed on.
inline std::string printable(std::string_view name) {
  constexpr std::size_t kLongest = 80;
  std::string text(name.substr(0, kLongest));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20U || static_cast<unsigned char>(c) == 0x7FU) {
      c = '?';
    }
  }
  return name.size() > kLongest ? text + "…" : text;
}

}  // namespace relic
