// How a setting of each kind is read, written and checked: makes a setting of a row and the field that it fills.
#pragma once

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "relic/core/error.h"
#include "relic/train/settings.h"

namespace relic::setting {

/// Above it no count makes sense, and sums and products of a few counts stay within 64 bits below it.
inline constexpr std::int64_t kManyTimes = 1'000'000'000'000;

/// "--name value: must be allowed"; a value that is empty or holds spaces comes in quotes.
std::string refusal(const SettingRow& row, const std::string& value);
/// "a, b or c"
std::string any_of(const std::vector<std::string>& names);

/// The number that the whole text spells, in any locale. Python's int() and float() take a leading plus, too.
template <typename Number>
std::optional<Number> read_number(std::string_view text);
extern template std::optional<std::int64_t> read_number(std::string_view);
extern template std::optional<std::uint64_t> read_number(std::string_view);
extern template std::optional<double> read_number(std::string_view);

/// The shortest text that reads back to the same number, with exponents as people write them (3e-4, not 3e-04).
std::string real_text(double number);
/// Why a text that is no integer is refused.
std::string integer_refusal(const SettingRow& row, const std::string& text);
/// Why a value that is not among row.choices is refused, with the nearest of them.
std::string choice_refusal(const SettingRow& row, const std::string& value);
/// "an integer of at least 2": what is allowed, where the row does not say.
std::string integer_range(std::int64_t low, std::int64_t high);
bool is_among(const std::string& value, const std::vector<std::string>& names);

template <class Config>
SettingOf<Config> flag(bool Config::*field, SettingRow row) {
  row.kind = SettingKind::flag;
  row.allowed = "true or false";
  return {row,
          [field, row](Config& config, const std::string& text) {
            if (text != "true" && text != "false") throw UsageError(refusal(row, text));
            config.*field = text == "true";
          },
          [field](const Config& config) { return std::string(config.*field ? "true" : "false"); },
          [](const Config&) { return std::string{}; }};
}

/// std::int64_t, or std::uint64_t.
template <class Config, typename Integer>
SettingOf<Config> any_integer(Integer Config::*field, Integer low, Integer high, SettingRow row) {
  row.kind = SettingKind::integer;
  if (row.placeholder.empty()) row.placeholder = "N";
  return {row,
          [field, row](Config& config, const std::string& text) {
            const auto number = read_number<Integer>(text);
            if (!number) throw UsageError(integer_refusal(row, text));
            config.*field = *number;
          },
          [field](const Config& config) { return std::to_string(config.*field); },
          [field, low, high, row](const Config& config) {
            const Integer number = config.*field;
            if (number >= low && number <= high) return std::string{};
            const bool too_large = number > high && high == static_cast<Integer>(kManyTimes);
            return refusal(row, std::to_string(number)) + (too_large ? " and at most " + std::to_string(high) : "");
          }};
}

/// low … high; up to kManyTimes is called "of at least low".
template <class Config>
SettingOf<Config> integer(std::int64_t Config::*field, std::int64_t low, std::int64_t high, SettingRow row) {
  if (row.allowed.empty()) row.allowed = integer_range(low, high);
  return any_integer(field, low, high, std::move(row));
}

/// 0 … 2⁶³ − 1, the non-negative integers of TOML.
template <class Config>
SettingOf<Config> seed(std::uint64_t Config::*field, SettingRow row) {
  constexpr std::uint64_t kLast = std::numeric_limits<std::int64_t>::max();
  row.allowed = "an integer from 0 to " + std::to_string(kLast);
  return any_integer(field, std::uint64_t{0}, kLast, std::move(row));
}

template <class Config>
SettingOf<Config> real(double Config::*field, double low, double high, SettingRow row) {
  row.kind = SettingKind::real;
  if (row.placeholder.empty()) row.placeholder = "X";
  return {row,
          [field, row](Config& config, const std::string& text) {
            const auto number = read_number<double>(text);
            if (!number || !std::isfinite(*number)) throw UsageError(refusal(row, text));
            config.*field = *number;
          },
          [field](const Config& config) { return real_text(config.*field); },
          [field, low, high, row](const Config& config) {
            const double number = config.*field;
            return number >= low && number <= high ? std::string{} : refusal(row, real_text(number));
          }};
}

/// At least 0.
template <class Config>
SettingOf<Config> rate(double Config::*field, SettingRow row) {
  row.allowed = "a number of at least 0";
  return real(field, 0.0, std::numeric_limits<double>::max(), std::move(row));
}

/// Above 0.
template <class Config>
SettingOf<Config> positive(double Config::*field, SettingRow row) {
  row.allowed = "a number above 0";
  return real(field, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max(), std::move(row));
}

/// Within [0, 1].
template <class Config>
SettingOf<Config> share(double Config::*field, SettingRow row) {
  row.allowed = "a number from 0 to 1";
  return real(field, 0.0, 1.0, std::move(row));
}

template <class Config>
SettingOf<Config> text(std::string Config::*field, SettingRow row) {
  row.kind = SettingKind::text;
  return {row, [field](Config& config, const std::string& value) { config.*field = value; },
          [field](const Config& config) { return config.*field; }, [](const Config&) { return std::string{}; }};
}

/// One of row.choices; where `may_be_empty`, no text stands for none of them.
template <class Config>
SettingOf<Config> choice(std::string Config::*field, bool may_be_empty, SettingRow row) {
  row.allowed = any_of(row.choices);
  SettingOf<Config> made = text(field, row);
  made.problem = [field, may_be_empty, row](const Config& config) {
    const std::string& value = config.*field;
    const bool fine = is_among(value, row.choices) || (may_be_empty && value.empty());
    return fine ? std::string{} : choice_refusal(row, value);
  };
  return made;
}

/// Where not `may_be_empty`, no text is a problem.
template <class Config>
SettingOf<Config> path(std::filesystem::path Config::*field, bool may_be_empty, SettingRow row) {
  row.kind = SettingKind::path;
  row.recorded = false;
  return {row, [field](Config& config, const std::string& value) { config.*field = value; },
          [field](const Config& config) { return (config.*field).string(); },
          [field, may_be_empty, row](const Config& config) {
            return may_be_empty || !(config.*field).empty() ? std::string{} : refusal(row, "");
          }};
}

/// Rows under one heading of --help.
template <class Config>
std::vector<SettingOf<Config>> in_group(const std::string& group, bool original, std::vector<SettingOf<Config>> rows) {
  for (SettingOf<Config>& row : rows) {
    row.group = group;
    row.original = original;
  }
  return rows;
}

}  // namespace relic::setting
