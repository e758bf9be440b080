// The text of --help.
#pragma once

#include <string>

#include "command.h"

namespace relic {

/// Usage, summary, then the options group by group, each with its choices and default; at most 80 columns wide.
std::string help_text(const Command& command);

}  // namespace relic
