#include "help_text.h"

#include <cstddef>
#include <sstream>
#include <utility>
#include <vector>

namespace relic {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kHelpColumn = 30;

using Words = std::vector<std::string>;

Words words_of(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

Words wrapped(const Words& words, std::size_t width) {
  Words lines(1);
  for (const std::string& word : words) {
    if (!lines.back().empty() && lines.back().size() + 1 + word.size() > width) lines.emplace_back();
    lines.back() += (lines.back().empty() ? "" : " ") + word;
  }
  return lines;
}

std::string heading(const CommandOption& option) {
  std::string spellings;
  for (const std::string& alias : option.spelling.aliases) spellings += alias + ", ";
  return "  " + spellings + option.spelling.name + (option.placeholder.empty() ? "" : " " + option.placeholder);
}

/// Help, then choices and default in brackets; a short default stays on the line of the word before it.
Words explanation(const CommandOption& option) {
  Words words = words_of(option.help);
  Words notes;
  for (const std::string& choice : option.choices) notes.push_back(choice + ",");
  if (!notes.empty()) notes.back().back() = ';';  // every option with choices has a default
  if (option.default_text.size() > 20) {
    notes.emplace_back("default:");
    for (const std::string& word : words_of(option.default_text)) notes.push_back(word);
  } else if (!option.default_text.empty()) {
    notes.push_back("default: " + option.default_text);
  }
  if (notes.empty()) return words;
  notes.front().insert(0, "[");
  notes.back() += "]";
  words.insert(words.end(), notes.begin(), notes.end());
  return words;
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
    for (const std::string& line : wrapped(words_of(paragraph), kWidth)) text += line + "\n";
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
