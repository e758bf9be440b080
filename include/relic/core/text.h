// Numbers as people read them, whatever the locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace relic {

/// 0.12345 with 3 decimals: "0.123"; never "-0.000".
std::string fixed(double value, int decimals);
/// The shortest decimal that reads back to the same value: "0.0003"; with an exponent below 1e-4 and from 1e15 on.
std::string shortest(double value);
/// "45 s", "12:07", "3:04:05", "2 d 3 h".
std::string duration_text(double seconds);
/// "512 B", "1.4 KB", "230.1 MB", "5.2 GB" (powers of 1000).
std::string bytes_text(double bytes);

/// Blanks behind it up to that many bytes.
std::string padded(std::string text, std::size_t width);
/// ASCII letters in lower case.
std::string lower_case(std::string text);
/// Text for one line: control characters, which names of files may hold, as "\n", "\x1b".
std::string one_line(std::string_view text);

}  // namespace relic
