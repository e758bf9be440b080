// Networks as they are scored: without gradients, and in float32 whatever the training's precision is.
#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

namespace relic {

class InferenceScope {
 public:
  InferenceScope() : no_autocast_(c10::autocast_dispatch_keyset) {}

 private:
  at::NoGradGuard no_grad_;
  c10::impl::ExcludeDispatchKeyGuard no_autocast_;
};

}  // namespace relic
