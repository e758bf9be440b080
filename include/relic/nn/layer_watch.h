// Finds the layer at which numbers stop being finite.
#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <string>
#include <unordered_map>

#include "relic/core/error.h"

namespace relic {

/// Values that are not finite; the message says whose.
class NotFinite : public Error {
 public:
  using Error::Error;
};

/// While one exists, what each layer below `root` gives in this thread is looked at, and the first that gives an
/// infinity or a NaN throws NotFinite with its name, as in the state dict. Waits for the device at every layer.
class LayerWatch {
 public:
  explicit LayerWatch(const torch::nn::Module& root);
  ~LayerWatch();
  LayerWatch(const LayerWatch&) = delete;
  LayerWatch& operator=(const LayerWatch&) = delete;

  void look(const torch::nn::Module& layer, const torch::Tensor& output) const;

 private:
  std::unordered_map<const torch::nn::Module*, std::string> names_;
  const LayerWatch* before_;
};

/// `output`, once this thread's watch, if there is one, has looked at it: what layers return.
torch::Tensor watched(const torch::nn::Module& layer, torch::Tensor output);

}  // namespace relic
