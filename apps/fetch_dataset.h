// A data set that is not there yet.
#pragma once

#include "relic/core/log.h"
#include "relic/train/config.h"

namespace relic {

/// What of the log the settings want on the console.
LogLevel console_level(const TrainConfig& config);

/// Whether the data set has an official archive that is not unpacked where it belongs, and that may be fetched.
bool is_to_be_fetched(const TrainConfig& config);

/// Fetches it, telling on the console how far it is. Throws as provide_archive does.
void fetch_dataset(const TrainConfig& config);

}  // namespace relic
