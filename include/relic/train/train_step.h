// The forward half of a training step: views through the networks to the loss.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>

#include "relic/nn/relic.h"
#include "relic/objective/relic_loss.h"
#include "relic/train/side_stream.h"
#include "relic/train/step_profile.h"
#include "relic/views/view_source.h"

namespace relic {

struct ForwardOptions {
  LossOptions loss;
  std::int64_t global_views = 2;
  std::int64_t local_views = 4;
  /// BatchNorm normalises each view by its own statistics; otherwise all views of one size by theirs.
  bool statistics_per_view = false;
  /// relic-pytorch 0.4.1: the locals are the first `local_views` of all views, globals included.
  bool local_views_reuse_globals = false;
  /// Networks run in this type under autocast; normalisation and loss stay in float32.
  std::optional<torch::ScalarType> autocast;
};

/// Online and target projections of a batch of `batch` images, and their loss. The target sees the global views alone
/// and gets no gradient; it runs `beside` the online network where that is given. Views of one size go through
/// together.
LossTerms forward_views(Relic& relic, const Views& views, std::int64_t batch, const ForwardOptions& options,
                        StepProfile* profile = nullptr, SideStream* beside = nullptr);

}  // namespace relic
