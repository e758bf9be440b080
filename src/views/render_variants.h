// The rendering compiled for different vector units; all give the same bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "relic/views/render.h"

namespace relic {

struct RenderVariant {
  const char* name = "";
  void (*render)(const ImageRef& image, const ViewSpec& spec, const ViewParams& params, RenderScratch& scratch,
                 std::uint8_t* out) = nullptr;
};

/// Those that this processor can run, the fastest first.
std::vector<RenderVariant> render_variants();

}  // namespace relic
