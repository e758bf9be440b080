#include "relic/views/view_spec.h"

#include <string>

#include "relic/core/error.h"

namespace relic {

MultiCropSpec multi_crop_for(int image_size, int global_count, int local_count) {
  if (image_size < 3) {
    throw UsageError("no local views of an image of " + std::to_string(image_size) + " pixels: at least 3 are needed");
  }
  if (global_count < 1 || local_count < 0) {
    throw UsageError("cannot draw " + std::to_string(global_count) + " global and " + std::to_string(local_count) +
                     " local views: at least one global view is needed");
  }
  MultiCropSpec spec;
  spec.global_count = global_count;
  spec.local_count = local_count;
  spec.global.size = image_size;
  spec.global.blur_kernel = image_size / 10 | 1;
  spec.local = spec.global;
  spec.local.size = image_size * 3 / 7;
  spec.local.min_scale = 0.05F;
  spec.local.solarize_probability = 0;
  return spec;
}

}  // namespace relic
