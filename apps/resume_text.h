// What is said of a run that is there already: gone on with, or replaced.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relic/run/run_directory.h"
#include "train_plan.h"

namespace relic {

/// What of it cannot be read, and from where it goes on instead; empty where all can be.
std::vector<std::string> damage_text(const Plan& plan);

/// From which step a run with a checkpoint goes on, and what differs from then, a line each.
std::vector<std::string> resume_text(const Plan& plan, const RunDirectory& run);

/// Empty, or in words: it goes on with images of another `fingerprint`, as --force allows. Throws UsageError where that
/// is not given.
std::string require_same_images(const Plan& plan, std::uint64_t fingerprint);

/// Of --resume where no run is.
std::string nothing_to_resume(const RunDirectory& run);

/// Of --overwrite; `files` are those that are there.
std::string in_place_of(const std::string& files);

}  // namespace relic
