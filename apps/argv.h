// Spellings of options: what people type, made into the one form that the parser knows.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace relic {

/// What there is to know of an option's spellings.
struct OptionSpelling {
  std::string name;                    ///< "--batch_size"
  std::vector<std::string> aliases{};  ///< "-b", "-save_model_dir"
  bool takes_value = true;
  std::string allowed{};  ///< what a value must be, in words; empty: anything
  bool original = false;  ///< a prefix that is unique among these means this option, whatever others are added
};

/// Resolves the arguments after the program's name (and subcommand) by the rules of Python's argparse: exact spellings
/// first, then unique prefixes; `--name value`, `--name=value`, `-b 64`, `-b64`, `-b=64`, `-lr 3e-4`, `-lr=3e-4`; a
/// value that begins with a dash is a number, or comes after `=`; after `--` nothing is an option.
///
/// Gives `--name` `value` for an option with a value, `--name` or `--name=false` for one without, everything else after
/// one `--` at the end. `problems` gets a line for every option that is unknown (with the nearest name), ambiguous
/// (with the candidates), or lacks its value; such options are left out.
std::vector<std::string> normalize_arguments(std::span<const std::string> arguments,
                                             std::span<const OptionSpelling> options,
                                             std::vector<std::string>& problems);

}  // namespace relic
