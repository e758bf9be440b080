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

Watch Watch::part(const std::string& name) const {
  Watch watch = *this;
  if (progress) {
    watch.progress = [tell = progress, name](const std::string& where) { tell(name + ", " + where); };
  }
  return watch;
}

}  // namespace relic
