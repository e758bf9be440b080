#include "relic/nn/encoder.h"

#include <array>

#include "nn/efficientnet.h"
#include "nn/resnet.h"
#include "relic/core/error.h"

namespace relic {

std::span<const std::string> encoder_names() {
  static const std::array<std::string, 3> names{"resnet18", "resnet50", "efficientnet"};
  return names;
}

std::shared_ptr<Encoder> make_encoder(const std::string& name, Stem stem) {
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

}  // namespace relic
