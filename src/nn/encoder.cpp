#include "relic/nn/encoder.h"

#include <array>

#include "nn/efficientnet.h"
#include "nn/resnet.h"
#include "relic/core/error.h"

namespace relic {

namespace {

std::shared_ptr<Encoder> make_contiguous_encoder(const std::string& name, Stem stem) {
  if (name == "resnet18") {
    return make_resnet18(stem);
  }
  if (name == "resnet50") {
    return make_resnet50(stem);
  }
  if (name == "efficientnet") {
    return make_efficientnet();
  }
  std::string known;
  for (const auto& each : encoder_names()) {
    known += (known.empty() ? "" : ", ") + each;
  }
  throw UsageError("unknown encoder '" + name + "': choose one of " + known);
}

}  // namespace

std::span<const std::string> encoder_names() {
  static const std::array<std::string, 3> names{"resnet18", "resnet50", "efficientnet"};
  return names;
}

std::shared_ptr<Encoder> make_encoder(const std::string& name, Stem stem) {
  auto encoder = make_contiguous_encoder(name, stem);
  // After the initialisation, whose draws fill contiguous weights. Convolutions are fastest so, on a CPU in bfloat16 by
  // far.
  for (auto& parameter : encoder->parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
    }
  }
  return encoder;
}

}  // namespace relic
