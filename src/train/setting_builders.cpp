#include "setting_builders.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/nearest_name.h"
#include "relic/core/text.h"

namespace relic::setting {
namespace {

/// The number that the whole text spells, in any locale. Python's int() and float() take a leading plus, too.
template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stopped != end) return std::nullopt;
  return number;
}

/// The shortest text that reads back to the same number, with exponents as people write them (3e-4, not 3e-04).
std::string real_text(double number) {
  std::string text = shortest(number);
  const std::size_t exponent = text.find('e');
  if (exponent != std::string::npos && text.size() > exponent + 2 && text[exponent + 2] == '0') {
    text.erase(exponent + 2, 1);
  }
  return text;
}

bool has_fraction_or_exponent(const std::string& text) {
  return text.find_first_of(".eE") != std::string::npos && read_number<double>(text);
}

template <typename Integer>
Setting any_integer(Integer TrainConfig::*field, Integer low, Integer high, Setting row) {
  row.kind = SettingKind::integer;
  if (row.placeholder.empty()) row.placeholder = "N";
  row.set = [field, row](TrainConfig& config, const std::string& text) {
    const auto number = read_number<Integer>(text);
    if (!number) {
      throw UsageError(refusal(row, text) + (has_fraction_or_exponent(text) ? ", written in digits alone" : ""));
    }
    config.*field = *number;
  };
  row.get = [field](const TrainConfig& config) { return std::to_string(config.*field); };
  row.problem = [field, low, high, row](const TrainConfig& config) {
    const Integer number = config.*field;
    if (number >= low && number <= high) return std::string{};
    const bool too_large = number > high && high == static_cast<Integer>(kManyTimes);
    return refusal(row, std::to_string(number)) + (too_large ? " and at most " + std::to_string(high) : "");
  };
  return row;
}

Setting real(double TrainConfig::*field, double low, double high, Setting row) {
  row.kind = SettingKind::real;
  if (row.placeholder.empty()) row.placeholder = "X";
  row.set = [field, row](TrainConfig& config, const std::string& text) {
    const auto number = read_number<double>(text);
    if (!number || !std::isfinite(*number)) throw UsageError(refusal(row, text));
    config.*field = *number;
  };
  row.get = [field](const TrainConfig& config) { return real_text(config.*field); };
  row.problem = [field, low, high, row](const TrainConfig& config) {
    const double number = config.*field;
    return number >= low && number <= high ? std::string{} : refusal(row, real_text(number));
  };
  return row;
}

}  // namespace

std::string refusal(const Setting& row, const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \t\n'") == std::string::npos;
  return "--" + row.name + " " + (plain ? value : "'" + value + "'") + ": must be " + row.allowed;
}

std::string any_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) list += i + 1 == names.size() ? " or " : ", ";
    list += names[i];
  }
  return list;
}

Setting flag(bool TrainConfig::*field, Setting row) {
  row.kind = SettingKind::flag;
  row.allowed = "true or false";
  row.set = [field, row](TrainConfig& config, const std::string& text) {
    if (text != "true" && text != "false") throw UsageError(refusal(row, text));
    config.*field = text == "true";
  };
  row.get = [field](const TrainConfig& config) { return std::string(config.*field ? "true" : "false"); };
  row.problem = [](const TrainConfig&) { return std::string{}; };
  return row;
}

Setting integer(std::int64_t TrainConfig::*field, std::int64_t low, std::int64_t high, Setting row) {
  if (row.allowed.empty()) {
    row.allowed = high == kManyTimes ? "an integer of at least " + std::to_string(low)
                                     : "an integer from " + std::to_string(low) + " to " + std::to_string(high);
  }
  return any_integer(field, low, high, std::move(row));
}

Setting seed(std::uint64_t TrainConfig::*field, Setting row) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::int64_t>::max();
  row.allowed = "an integer from 0 to " + std::to_string(kLast);
  return any_integer(field, std::uint64_t{0}, kLast, std::move(row));
}

Setting rate(double TrainConfig::*field, Setting row) {
  row.allowed = "a number of at least 0";
  return real(field, 0.0, std::numeric_limits<double>::max(), std::move(row));
}

Setting share(double TrainConfig::*field, Setting row) {
  row.allowed = "a number from 0 to 1";
  return real(field, 0.0, 1.0, std::move(row));
}

Setting text(std::string TrainConfig::*field, Setting row) {
  row.kind = SettingKind::text;
  row.set = [field](TrainConfig& config, const std::string& value) { config.*field = value; };
  row.get = [field](const TrainConfig& config) { return config.*field; };
  row.problem = [](const TrainConfig&) { return std::string{}; };
  return row;
}

Setting choice(std::string TrainConfig::*field, bool may_be_empty, Setting row) {
  row = text(field, std::move(row));
  row.allowed = any_of(row.choices);
  row.problem = [field, may_be_empty, row](const TrainConfig& config) {
    const std::string& value = config.*field;
    const bool known = std::find(row.choices.begin(), row.choices.end(), value) != row.choices.end();
    if (known || (may_be_empty && value.empty())) return std::string{};
    const std::string nearest = row.choices.size() > 1 ? nearest_name(value, row.choices) : std::string{};
    return refusal(row, value) + (nearest.empty() ? "" : "; did you mean " + nearest + "?");
  };
  return row;
}

Setting path(std::filesystem::path TrainConfig::*field, bool may_be_empty, Setting row) {
  row.kind = SettingKind::path;
  row.recorded = false;
  row.set = [field](TrainConfig& config, const std::string& value) { config.*field = value; };
  row.get = [field](const TrainConfig& config) { return (config.*field).string(); };
  row.problem = [field, may_be_empty, row](const TrainConfig& config) {
    return may_be_empty || !(config.*field).empty() ? std::string{} : refusal(row, "");
  };
  return row;
}

}  // namespace relic::setting
