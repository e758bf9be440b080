#include "relic/views/view_params.h"

#include "views/draw.h"

namespace relic {

ViewParams draw_view(const ViewSpec& spec, const ViewKey& key, int width, int height) {
  return ops::draw_view(spec, key, width, height);
}

}  // namespace relic
