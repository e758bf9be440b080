// The batch at which a training's numbers stopped being finite, for people to look at.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "relic/data/dataset.h"

namespace relic {

/// Writes `what` happened at `step` (counted from 1) of `epoch` (from 1), and index, class and name of each image of
/// its batch. Throws Error with path and reason.
void write_failed_batch(const std::filesystem::path& path, const std::string& what, std::int64_t step,
                        std::int64_t epoch, const std::vector<std::int64_t>& batch, const Dataset& dataset);

}  // namespace relic
