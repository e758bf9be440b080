#include "relic/views/view_source.h"

namespace relic {

std::string why_not_resident(const Dataset& dataset, const torch::Device& device) {
  return why_not_resident(dataset.common_size(), dataset.size(), device);
}

}  // namespace relic
