// Pixels of a view: the chain of operations of ViewParams, as PIL (Pillow 13) and torchvision compute it, rounding to 8
// bits after each.
#pragma once

#include <cstdint>
#include <vector>

#include "relic/data/image.h"
#include "relic/views/view_params.h"
#include "relic/views/view_spec.h"

namespace relic {

/// Working memory of one thread, kept between views so that rendering allocates nothing.
struct RenderScratch {
  std::vector<std::uint8_t> pixels;
  std::vector<float> numbers;
  std::vector<int> indices;
};

/// Renders a view into `out`: spec.size × spec.size × 3 bytes, interleaved. The same bytes on every processor. The crop
/// box of `params` must lie inside the image.
void render_view(const ImageRef& image, const ViewSpec& spec, const ViewParams& params, RenderScratch& scratch,
                 std::uint8_t* out);

}  // namespace relic
