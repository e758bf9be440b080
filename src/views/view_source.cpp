#include "relic/views/view_source.h"

namespace relic {

std::string why_not_resident(const Dataset& dataset, const torch::Device& device) {
  return why_not_resident(dataset.common_size(), dataset.size(), device);
}

std::unique_ptr<ViewSource> make_view_source(const Dataset& dataset, const MultiCropSpec& spec,
                                             const ViewSourceOptions& options) {
  return why_not_resident(dataset, options.device).empty() ? make_resident_view_source(dataset, spec, options)
                                                           : make_cpu_view_source(dataset, spec, options);
}

}  // namespace relic
