// What was drawn for one view: enough to render it, nothing random left.
#pragma once

#include <array>
#include <cstdint>

#include "relic/views/view_spec.h"

namespace relic {

enum class JitterOp : std::uint8_t { brightness = 0, contrast = 1, saturation = 2, hue = 3 };

struct ViewParams {
  int top = 0;  ///< crop box in the image, pixels
  int left = 0;
  int height = 0;
  int width = 0;
  bool flip = false;
  bool jitter = false;
  std::array<JitterOp, 4> order{JitterOp::brightness, JitterOp::contrast, JitterOp::saturation, JitterOp::hue};
  float brightness = 1;  ///< factors
  float contrast = 1;
  float saturation = 1;
  float hue = 0;  ///< shift, as a share of the colour circle
  bool gray = false;
  float sigma = 1;  ///< of the blur, pixels
  bool solarize = false;
};

/// Names one view of one sample in one epoch of one run.
struct ViewKey {
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
  std::int64_t sample = 0;
  int view = 0;
};

/// Draws a view of an image of width × height pixels. A pure function of its arguments. The crop is torchvision's
/// RandomResizedCrop: ten tries of area and log-uniform aspect ratio in [3/4, 4/3], then the largest central crop.
ViewParams draw_view(const ViewSpec& spec, const ViewKey& key, int width, int height);

}  // namespace relic
