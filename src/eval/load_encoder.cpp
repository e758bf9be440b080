#include "relic/eval/load_encoder.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "relic/core/error.h"
#include "relic/formats/pth.h"
#include "relic/nn/state_dict.h"

namespace relic {
namespace {

const torch::Tensor* find(const StateDict& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, [](const auto& item) { return std::string_view(item.first); });
  return found == tensors.end() ? nullptr : &found->second;
}

/// Entries whose names begin so, without that beginning.
StateDict below(const StateDict& tensors, std::string_view prefix) {
  StateDict part;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(prefix)) part.emplace_back(name.substr(prefix.size()), tensor);
  }
  return part;
}

/// The whole dict in which an encoder lies, cut down to it.
StateDict encoder_part(StateDict tensors) {
  for (const std::string_view prefix : {"target_encoder.0.", "module.", "encoder.", "backbone."}) {
    if (StateDict part = below(tensors, prefix); !part.empty()) return part;
  }
  return tensors;
}

/// torchvision's names to those of its children in order; its last layer is dropped.
StateDict without_torchvision_names(const StateDict& tensors) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNumbers{{{"conv1.", "0."},
                                                                                   {"bn1.", "1."},
                                                                                   {"layer1.", "4."},
                                                                                   {"layer2.", "5."},
                                                                                   {"layer3.", "6."},
                                                                                   {"layer4.", "7."},
                                                                                   {"features.", "0."}}};
  if (find(tensors, "conv1.weight") == nullptr && find(tensors, "features.0.0.weight") == nullptr) return tensors;
  StateDict renamed;
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with("fc.") || name.starts_with("classifier.")) continue;
    const auto known =
        std::ranges::find_if(kNumbers, [&name = name](const auto& pair) { return name.starts_with(pair.first); });
    renamed.emplace_back(known == kNumbers.end() ? name : std::string(known->second) + name.substr(known->first.size()),
                         tensor);
  }
  return renamed;
}

/// The network that a state dict with the names of ours is of.
LoadedEncoder recognise(const StateDict& tensors, const std::string& where) {
  LoadedEncoder loaded;
  const torch::Tensor* const stem = find(tensors, "0.weight");
  if (stem != nullptr && stem->dim() == 4) {
    loaded.name = find(tensors, "4.0.conv3.weight") != nullptr ? "resnet50" : "resnet18";
    loaded.stem = stem->size(2) == 3 ? Stem::cifar : Stem::imagenet;
  } else if (find(tensors, "0.0.0.weight") != nullptr) {
    loaded.name = "efficientnet";
  } else {
    const std::string first = tensors.empty() ? "nothing" : tensors.front().first;
    throw Error(where + ": holds no ResNet-18, ResNet-50 or EfficientNet-v2-S (its first tensor is " + first + ")");
  }
  loaded.encoder = make_encoder(loaded.name, loaded.stem);
  return loaded;
}

/// Files older than that counter lack it; nothing depends on it.
void add_batch_counters(StateDict& tensors, const Encoder& encoder) {
  for (const auto& [name, tensor] : state_dict(encoder)) {
    if (name.ends_with(".num_batches_tracked") && find(tensors, name) == nullptr) {
      tensors.emplace_back(name, at::zeros_like(tensor));
    }
  }
}

}  // namespace

LoadedEncoder load_encoder(const std::filesystem::path& file) {
  if (file.filename() == "checkpoint.pth") {
    throw Error(file.string() + ": a run's checkpoint; name its folder, or the encoder.pth in it");
  }
  StateDict tensors = without_torchvision_names(encoder_part(read_state_dict(file)));
  LoadedEncoder loaded = recognise(tensors, file.string());
  add_batch_counters(tensors, *loaded.encoder);
  load_state_dict(*loaded.encoder, tensors, file.string() + " as " + loaded.name + " (names as in encoder.pth)");
  return loaded;
}

}  // namespace relic
