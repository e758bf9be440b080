// What a training needs of memory, in words.
#pragma once

#include <cstdint>
#include <string>

#include "relic/train/memory.h"
#include "train_plan.h"

namespace relic {

struct MemoryForecast {
  std::string text;     ///< what the training will take, of what, and what there is
  std::string warning;  ///< empty, or in words that it will not fit
};

/// For --dry_run.
MemoryForecast memory_forecast(const Plan& plan, Relic& relic);

struct BytesRange {
  double least;
  double most;
};

/// Empty, or that the bytes of `memory` (a name) that are needed are not, or may not be, free, and how many images,
/// where any, `fit`.
std::string memory_warning(const std::string& memory, const BytesRange& needed, double free, std::int64_t fit);

/// Where a GPU has refused: what was asked for, and what would fit.
std::string too_little_gpu_memory(const Plan& plan);

/// As many images of a batch as fit in `free` bytes, of a batch of `batch_size` that needs `need` beside `other` bytes
/// whatever the batch. May be none.
std::int64_t images_that_fit(const MemoryNeed& need, std::int64_t batch_size, double other, double free);

}  // namespace relic
