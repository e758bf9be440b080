// Spellings of options: each line of the input is an argument.
#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "argv.h"
#include "command.h"
#include "fuzz/harness.h"

namespace relic::testing {
namespace {

using Arguments = std::vector<std::string>;

const std::vector<OptionSpelling>& options() {
  static const std::vector<OptionSpelling> all = option_spellings(train_command());
  return all;
}

Arguments lines_of(std::string_view text) {
  Arguments lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

/// The tokens with each value after an equals sign. Tokens other than those that are promised are a finding.
Arguments joined(const Arguments& tokens) {
  static const auto takes_value = [] {
    std::unordered_map<std::string, bool> all;
    for (const OptionSpelling& option : options()) all.emplace(option.name, option.takes_value);
    return all;
  }();
  Arguments arguments;
  std::size_t next = 0;
  while (next < tokens.size() && tokens[next] != "--") {
    const std::string& token = tokens[next++];
    const auto option = takes_value.find(token.substr(0, token.find('=')));
    require(option != takes_value.end(), "the name of an option");
    if (option->second) {
      require(token == option->first && next < tokens.size(), "a value after the option that takes one");
      arguments.push_back(token + "=" + tokens[next++]);
    } else {
      require(token == option->first || token.ends_with("=true") || token.ends_with("=false"), "a switch");
      arguments.push_back(token);
    }
  }
  require(next == tokens.size() || next + 1 < tokens.size(), "something after the two dashes");
  arguments.insert(arguments.end(), tokens.begin() + static_cast<std::ptrdiff_t>(next), tokens.end());
  return arguments;
}

}  // namespace

void try_input(std::string_view input) {
  Arguments problems;
  const Arguments tokens = normalize_arguments(lines_of(input), options(), problems);
  for (const std::string& problem : problems) {
    require(!problem.empty() && problem.find('\n') == std::string::npos, "a problem is one line");
  }
  problems.clear();
  require(normalize_arguments(joined(tokens), options(), problems) == tokens, "what is in its one form stays as it is");
  require(problems.empty(), "what is in its one form is no problem");
}

}  // namespace relic::testing
