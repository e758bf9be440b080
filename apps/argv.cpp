#include "argv.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "relic/core/nearest_name.h"

namespace relic {
namespace {

/// One reading of an argument.
struct Reading {
  const OptionSpelling* option;
  std::string spelling;
  std::optional<std::string> value;  // what came in the same argument
};

std::vector<std::string> spellings(const OptionSpelling& option) {
  std::vector<std::string> all = option.aliases;
  all.push_back(option.name);
  return all;
}

std::optional<Reading> exact_reading(std::string_view text, const std::optional<std::string>& value,
                                     std::span<const OptionSpelling> options) {
  for (const OptionSpelling& option : options) {
    for (const std::string& spelling : spellings(option)) {
      if (spelling == text) return Reading{&option, spelling, value};
    }
  }
  return std::nullopt;
}

/// Options of which the text before `=` is a prefix, and the one-letter option that a value follows at once (-b64).
std::vector<Reading> abbreviated_readings(std::string_view argument, std::string_view before_equals,
                                          const std::optional<std::string>& value,
                                          std::span<const OptionSpelling> options) {
  std::vector<Reading> readings;
  const bool two_dashes = argument.starts_with("--");
  if (two_dashes && before_equals.size() == 2) return readings;
  for (const OptionSpelling& option : options) {
    for (const std::string& spelling : spellings(option)) {
      if (!two_dashes && spelling == argument.substr(0, 2) && option.takes_value) {
        readings.push_back({&option, spelling, std::string(argument.substr(2))});
        break;
      }
      if (spelling.starts_with(before_equals) && spelling.starts_with("--") == two_dashes) {
        readings.push_back({&option, spelling, value});
        break;
      }
    }
  }
  return readings;
}

/// Every reading of an argument that begins with a dash: none if it is unknown, several if it is ambiguous.
std::vector<Reading> read_option(const std::string& argument, std::span<const OptionSpelling> options) {
  if (auto exact = exact_reading(argument, std::nullopt, options)) return {*exact};
  const std::size_t equals = argument.find('=');
  const std::string before_equals = argument.substr(0, equals);
  std::optional<std::string> value;
  if (equals != std::string::npos) {
    value = argument.substr(equals + 1);
    if (auto exact = exact_reading(before_equals, value, options)) return {*exact};
  }
  std::vector<Reading> readings = abbreviated_readings(argument, before_equals, value, options);
  const auto is_original = [](const Reading& reading) { return reading.option->original; };
  if (std::count_if(readings.begin(), readings.end(), is_original) == 1) {
    return {*std::find_if(readings.begin(), readings.end(), is_original)};
  }
  return readings;
}

bool is_number(std::string_view text) {
  double number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && stopped == text.data() + text.size();
}

bool looks_like_option(const std::string& argument, std::span<const OptionSpelling> options) {
  if (argument.size() < 2 || argument[0] != '-' || is_number(argument)) return false;
  const bool has_space = argument.find(' ') != std::string::npos;
  return !has_space || !read_option(argument, options).empty();
}

std::string unknown_option(const std::string& argument, std::span<const OptionSpelling> options) {
  const std::string typed = argument.substr(0, argument.find('='));
  std::vector<std::string> known;
  std::string nearest;
  for (const OptionSpelling& option : options) {
    for (const std::string& spelling : spellings(option)) {
      known.push_back(spelling);
      if (spelling.size() > 2 && typed.starts_with(spelling) && nearest.empty()) nearest = spelling;  // -lr3e-4
    }
  }
  if (nearest.empty()) nearest = nearest_name(typed, known);
  return "unknown option " + typed + (nearest.empty() ? "; --help lists all" : "; did you mean " + nearest + "?");
}

std::string ambiguous_option(const std::string& argument, const std::vector<Reading>& readings) {
  std::string candidates;
  for (const Reading& reading : readings) candidates += (candidates.empty() ? "" : ", ") + reading.spelling;
  return "ambiguous option " + argument.substr(0, argument.find('=')) + ": it could be " + candidates;
}

/// Reads the arguments from left to right.
class Normalizer {
 public:
  Normalizer(std::span<const std::string> arguments, std::span<const OptionSpelling> options,
             std::vector<std::string>& problems)
      : arguments_(arguments), options_(options), problems_(problems) {}

  std::vector<std::string> run() {
    while (next_ < arguments_.size()) {
      const std::string& argument = arguments_[next_++];
      if (argument == "--") {
        take_the_rest();
      } else if (looks_like_option(argument, options_)) {
        take_option(argument);
      } else {
        others_.push_back(argument);
      }
    }
    if (!others_.empty()) {
      tokens_.emplace_back("--");
      tokens_.insert(tokens_.end(), others_.begin(), others_.end());
    }
    return std::move(tokens_);
  }

 private:
  void take_option(const std::string& argument) {
    const std::vector<Reading> readings = read_option(argument, options_);
    if (readings.size() != 1) {
      refuse(readings.empty() ? unknown_option(argument, options_) : ambiguous_option(argument, readings));
      if (argument.find('=') == std::string::npos && has_value()) ++next_;  // most likely its value
    } else if (readings[0].option->takes_value) {
      take_value(readings[0]);
    } else {
      take_flag(readings[0]);
    }
  }

  void take_value(const Reading& reading) {
    std::optional<std::string> value = reading.value;
    if (!value && has_value()) {
      value = arguments_[next_++];
    }
    if (!value) {
      const std::string& allowed = reading.option->allowed;
      std::string problem = reading.spelling + " needs a value" + (allowed.empty() ? "" : ", " + allowed);
      if (next_ < arguments_.size() && read_option(arguments_[next_], options_).empty()) {
        problem += "; one that begins with a dash is written " + reading.spelling + "=" + arguments_[next_];
      }
      refuse(problem);
      return;
    }
    tokens_.push_back(reading.option->name);
    tokens_.push_back(*value);
  }

  void take_flag(const Reading& reading) {
    if (reading.value && *reading.value != "true" && *reading.value != "false") {
      refuse(reading.spelling + "=" + *reading.value + ": must be true or false, or " + reading.spelling + " alone");
      return;
    }
    tokens_.push_back(reading.option->name + (reading.value ? "=" + *reading.value : ""));
  }

  [[nodiscard]] bool has_value() const {
    return next_ < arguments_.size() && arguments_[next_] != "--" && !looks_like_option(arguments_[next_], options_);
  }

  void take_the_rest() {
    while (next_ < arguments_.size()) others_.push_back(arguments_[next_++]);
  }

  void refuse(const std::string& problem) { problems_.push_back(problem); }

  std::span<const std::string> arguments_;
  std::span<const OptionSpelling> options_;
  std::size_t next_ = 0;
  std::vector<std::string> tokens_;
  std::vector<std::string> others_;
  std::vector<std::string>& problems_;
};

}  // namespace

std::vector<std::string> normalize_arguments(std::span<const std::string> arguments,
                                             std::span<const OptionSpelling> options,
                                             std::vector<std::string>& problems) {
  return Normalizer(arguments, options, problems).run();
}

}  // namespace relic
