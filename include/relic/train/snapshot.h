// The live state of a training, to and from a checkpoint.
#pragma once

#include <string>

#include "relic/nn/relic.h"
#include "relic/run/checkpoint.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/optimizer.h"

namespace relic {

/// Copies of tensors that go on changing.
StateDict copy_to_cpu(const StateDict& tensors);
/// Copies the live state. `scaler` may be null.
Checkpoint take_checkpoint(const Relic& relic, const Adam& adam, const GradScaler* scaler);
/// Copies a checkpoint's tensors into the live state. Throws Error naming `where` if they do not fit.
void restore_checkpoint(const Checkpoint& checkpoint, Relic& relic, Adam& adam, GradScaler* scaler,
                        const std::string& where);

}  // namespace relic
