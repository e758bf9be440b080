// What views are to be drawn: the settings of a kind of crop, and of a whole multi-crop.
#pragma once

#include <vector>

namespace relic {

/// One kind of view; the defaults are the global view's (ReLIC's table of augmentations, arXiv 2010.07922, as the
/// original sets it).
struct ViewSpec {
  int size = 32;           ///< side of the view, pixels
  float min_scale = 0.1F;  ///< crop area as a share of the image's
  float max_scale = 1.0F;
  float flip_probability = 0.5F;
  float jitter_probability = 0.8F;
  float brightness = 0.8F;  ///< factor in [1 − x, 1 + x]
  float contrast = 0.8F;
  float saturation = 0.8F;
  float hue = 0.2F;  ///< shift in [−x, x], as a share of the colour circle
  float gray_probability = 0.2F;
  int blur_kernel = 3;     ///< odd, pixels
  float min_sigma = 0.1F;  ///< pixels
  float max_sigma = 2.0F;
  float solarize_probability = 0.2F;
  int solarize_threshold = 127;
};

/// Views of one image: `global_count` of `global` first, then `local_count` of `local`.
struct MultiCropSpec {
  ViewSpec global;
  ViewSpec local;
  int global_count = 2;
  int local_count = 4;

  [[nodiscard]] int count() const { return global_count + local_count; }
  [[nodiscard]] const ViewSpec& of(int view) const { return view < global_count ? global : local; }
};

/// The original's views for images of side `image_size`: locals int(size·3/7) wide, blur kernel int(size·0.1) made odd.
MultiCropSpec multi_crop_for(int image_size, int global_count, int local_count);

}  // namespace relic
