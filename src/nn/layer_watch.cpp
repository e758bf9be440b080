#include "relic/nn/layer_watch.h"

#include <torch/torch.h>

namespace relic {

namespace {

const LayerWatch*& watch_of_thread() {
  thread_local const LayerWatch* watch = nullptr;
  return watch;
}

}  // namespace

LayerWatch::LayerWatch(const torch::nn::Module& root) : before_(watch_of_thread()) {
  for (const auto& module : root.named_modules("", /*include_self=*/false)) {
    names_.emplace(module.value().get(), module.key());
  }
  watch_of_thread() = this;
}

LayerWatch::~LayerWatch() { watch_of_thread() = before_; }

void LayerWatch::look(const torch::nn::Module& layer, const torch::Tensor& output) const {
  const auto name = names_.find(&layer);
  if (name != names_.end() && !torch::isfinite(output.detach()).all().item<bool>()) {
    throw NotFinite(name->second + " gives values that are not finite");
  }
}

torch::Tensor watched(const torch::nn::Module& layer, torch::Tensor output) {
  if (const LayerWatch* const watch = watch_of_thread()) {
    watch->look(layer, output);
  }
  return output;
}

}  // namespace relic
