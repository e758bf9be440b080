// An encoder from a file, whoever wrote it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "relic/nn/encoder.h"

namespace relic {

struct LoadedEncoder {
  std::string name;  ///< as of make_encoder
  Stem stem = Stem::imagenet;
  std::shared_ptr<Encoder> encoder;
};

/// Reads a state dict of an encoder (encoder.pth), of a whole ReLIC model (relic_model.pth: its target encoder) or of a
/// torchvision network (ResNet-18/50, EfficientNet-v2-S; its last layer is left out); which of the networks it is, is
/// told from names and shapes. Throws Error with the first names and shapes that do not fit.
LoadedEncoder load_encoder(const std::filesystem::path& file);

}  // namespace relic
