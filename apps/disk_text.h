// How much room a run needs on its disk, and what there is, in words.
#pragma once

#include <string>

#include "relic/nn/relic.h"
#include "relic/run/run_directory.h"
#include "train_plan.h"

namespace relic {

/// Of the best encoder that the run holds and saves; 0: it will have none.
double best_encoder_bytes(const Plan& plan, Relic& relic);
/// A line: what the run's files take, what a save needs besides, what is free there.
std::string disk_text(const Plan& plan, Relic& relic, const RunDirectory& run);
/// Empty, or in words that its saves will fail: less is free than the run will need besides the files
/// that lie there.
std::string disk_warning(const Plan& plan, Relic& relic, const RunDirectory& run);

}  // namespace relic
