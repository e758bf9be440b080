#include "relic/train/setting_builders.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "relic/core/nearest_name.h"
#include "relic/core/text.h"

namespace relic::setting {

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}
template std::optional<std::int64_t> read_number(std::string_view);
template std::optional<std::uint64_t> read_number(std::string_view);
template std::optional<double> read_number(std::string_view);

std::string real_text(double number) {
  std::string text = shortest(number);
  const std::size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.size() > exponent + 2 && text[exponent + 2] == '0') {
    text.erase(exponent + 2, 1);
  }
  return text;
}

std::string refusal(const SettingRow& row, const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \t\n'") == std::string::npos;
  return "--" + row.name + " " + (plain ? value : "'" + value + "'") + ": must be " + row.allowed;
}

std::string integer_refusal(const SettingRow& row, const std::string& text) {
  const bool has_fraction_or_exponent = text.find_first_of(".eE") != std::string::npos && read_number<double>(text);
  return refusal(row, text) + (has_fraction_or_exponent ? ", written in digits alone" : "");
}

std::string choice_refusal(const SettingRow& row, const std::string& value) {
  const std::string nearest = row.choices.size() > 1 ? nearest_name(value, row.choices) : std::string{};
  return refusal(row, value) + (nearest.empty() ? "" : "; did you mean " + nearest + "?");
}

std::string integer_range(std::int64_t low, std::int64_t high) {
  return high == kManyTimes ? "an integer of at least " + std::to_string(low)
                            : "an integer from " + std::to_string(low) + " to " + std::to_string(high);
}

bool is_among(const std::string& value, const std::vector<std::string>& names) {
  return std::ranges::find(names, value) != names.end();
}

std::string any_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

}  // namespace relic::setting
