// torchvision's ResNets (He et al. 2016, arXiv 1512.03385; the 50-layer one with its stride in the 3×3 convolution).
#pragma once

#include <memory>

#include "relic/nn/encoder.h"

namespace relic {

std::shared_ptr<Encoder> make_resnet18(Stem stem);
std::shared_ptr<Encoder> make_resnet50(Stem stem);

}  // namespace relic
