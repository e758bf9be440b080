// Where no CUDA sources are compiled.
#include "relic/core/error.h"
#include "relic/views/view_source.h"

namespace relic {

std::unique_ptr<ViewSource> make_resident_view_source(const Dataset& dataset, const MultiCropSpec& /*spec*/,
                                                      const ViewSourceOptions& options) {
  throw Error("views on the GPU: " + why_not_resident(dataset, options.device));
}

std::string why_not_resident(const std::optional<ImageSize>& /*size*/, std::int64_t /*images*/,
                             const torch::Device& device) {
  return device.is_cpu() ? "this is a CPU" : "this program was built without nvcc";
}

}  // namespace relic
