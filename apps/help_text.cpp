#include "help_text.h"

#include <cstddef>
#include <sstream>
#include <utility>
#include <vector>

namespace relic {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kHelpColumn = 30;

std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

std::string heading(const CommandOption& option) {
  std::string spellings;
  for (const std::string& alias : option.spelling.aliases) spellings += alias + ", ";
  // One spelling with a single dash suffices where the other differs by a dash alone.
  if (spellings == option.spelling.name.substr(1) + ", ") spellings.clear();
  return "  " + spellings + option.spelling.name + (option.placeholder.empty() ? "" : " " + option.placeholder);
}

std::string explanation(const CommandOption& option) {
  std::string notes;
  for (const std::string& choice : option.choices) notes += (notes.empty() ? "" : ", ") + choice;
  if (!option.default_text.empty()) notes += (notes.empty() ? "" : "; ") + ("default: " + option.default_text);
  return option.help + (notes.empty() ? "" : " [" + notes + "]");
}

std::string entry(const CommandOption& option) {
  std::string text = heading(option);
  bool first = true;
  for (const std::string& line : wrapped(explanation(option), kWidth - kHelpColumn)) {
    const bool beside = first && text.size() + 2 <= kHelpColumn;
    text += beside ? std::string(kHelpColumn - text.size(), ' ') : "\n" + std::string(kHelpColumn, ' ');
    text += line;
    first = false;
  }
  return text + "\n";
}

}  // namespace

std::string help_text(const Command& command) {
  std::string text = "Usage: " + command.usage + "\n";
  for (const std::string& paragraph : command.summary) {
    text += "\n";
    for (const std::string& line : wrapped(paragraph, kWidth)) text += line + "\n";
  }
  std::string group;
  for (const CommandOption& option : command.options) {
    if (option.group != group) text += "\n" + option.group + ":\n";
    group = option.group;
    text += entry(option);
  }
  return text;
}

}  // namespace relic
