// What --dry_run prints.
#pragma once

#include <string>

#include "relic/run/run_directory.h"
#include "train_plan.h"

namespace relic {

/// The settings as TOML, and whole lines on what a training with them would do, what is in its way, and what it needs.
/// Throws UsageError where --resume would go on with other images.
std::string dry_run_text(const Plan& plan, const RunDirectory& run);

}  // namespace relic
