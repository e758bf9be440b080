// What a training needs of memory, in words.
#pragma once

#include <string>

#include "train_plan.h"

namespace relic {

/// A line for --dry_run: what it will take, and of what.
std::string memory_text(const Plan& plan, Relic& relic);

/// Where a GPU has refused: what was asked for, and what would fit.
std::string too_little_gpu_memory(const Plan& plan);

}  // namespace relic
