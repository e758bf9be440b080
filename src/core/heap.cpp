#include "relic/core/heap.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "core/cgroup.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace relic {

void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_MAX, 0);         // blocks of the main thread from the heap
  ::mallopt(M_TRIM_THRESHOLD, -1);  // which does not shrink
#endif
}

std::optional<double> available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kibibytes = 0;
  while (file >> key >> kibibytes && key != "MemAvailable:") {
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  const auto granted = cgroup_memory_left();
  if (!file) {
    return granted;
  }
  const double available = 1024 * kibibytes;
  return granted ? std::min(available, *granted) : available;
}

}  // namespace relic
