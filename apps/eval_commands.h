// relic_train probe and relic_train embed.
#pragma once

#include <string>
#include <vector>

namespace relic {

/// Runs the command with the arguments after its name; gives the program's exit status. Throws UsageError or Error.
int run_probe(const std::vector<std::string>& arguments);
int run_embed(const std::vector<std::string>& arguments);

}  // namespace relic
