// What a training needs of memory, in words.
#pragma once

#include <cstdint>
#include <string>

#include "relic/train/memory.h"
#include "train_plan.h"

namespace relic {

/// A line for --dry_run: what it will take, and of what.
std::string memory_text(const Plan& plan, Relic& relic);

/// Where a GPU has refused: what was asked for, and what would fit.
std::string too_little_gpu_memory(const Plan& plan);

/// As many images of a batch as fit in `free` bytes of a GPU, of a batch of `batch_size` that needs `need` beside
/// `resident` bytes of images that the GPU holds. May be none, or negative.
std::int64_t images_that_fit(const MemoryNeed& need, std::int64_t batch_size, double resident, double free);

}  // namespace relic
