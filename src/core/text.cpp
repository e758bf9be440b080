#include "relic/core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace relic {

namespace {

template <class... Format>
std::string number_text(double value, Format... format) {
  std::array<char, 512> buffer{};  // the largest double has 309 digits before the point
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format...);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string("?");
}

std::string two_digits(std::int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

std::string fixed(double value, int decimals) {
  std::string text = number_text(value, std::chars_format::fixed, decimals);
  const bool negative_zero = text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos;
  return negative_zero ? text.substr(1) : text;
}

std::string shortest(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  // Few people read 3e-04 as fast as 0.0003.
  const double size = std::abs(value);
  const bool readable = size == 0 || (size >= 1e-4 && size < 1e15);
  return readable ? number_text(value, std::chars_format::fixed) : number_text(value);
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) {
    return "?";
  }
  const auto whole = std::llround(seconds);
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  if (whole < 3600) {
    return std::to_string(whole / 60) + ":" + two_digits(whole % 60);
  }
  if (whole < 2 * 86400) {
    return std::to_string(whole / 3600) + ":" + two_digits(whole / 60 % 60) + ":" + two_digits(whole % 60);
  }
  return std::to_string(whole / 86400) + " d " + std::to_string(whole / 3600 % 24) + " h";
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "KB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 999.95 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return fixed(bytes, unit == 0 ? 0 : 1) + " " + kUnits.at(unit);
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string one_line(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line;
  const auto escape = [&](unsigned char byte) { line += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]}; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : '\0');
    if (byte == '\n') {
      line += "\\n";
    } else if (byte < 0x20U || byte == 0x7FU) {
      escape(byte);
    } else if (byte == 0xC2U && next >= 0x80U && next < 0xA0U) {  // UTF-8 of the control characters from U+0080 on
      escape(next);
      ++i;
    } else {
      line += text[i];
    }
  }
  return line;
}

}  // namespace relic
