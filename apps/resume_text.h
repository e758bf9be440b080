// What a resumed run goes on with, in words.
#pragma once

#include <string>
#include <vector>

#include "relic/run/run_directory.h"
#include "train_plan.h"

namespace relic {

/// What of it cannot be read, and from where it goes on instead; empty where all can be.
std::vector<std::string> damage_text(const Plan& plan);

/// From which step a run with a checkpoint goes on, and what differs from then, a line each.
std::vector<std::string> resume_text(const Plan& plan, const RunDirectory& run);

}  // namespace relic
