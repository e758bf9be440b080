#include "relic/eval/watch.h"

#include "relic/core/error.h"

namespace relic {

void Watch::at(const std::string& where) const {
  if (stop && stop()) {
    throw Interrupted();
  }
  if (progress) {
    progress(where);
  }
}

}  // namespace relic
