// relic_train without a subcommand: one training.
#pragma once

#include "command_line.h"

namespace relic {

/// Checks the settings and trains. The program's exit status; throws Error.
int run_training(const CommandLine& line);

}  // namespace relic
