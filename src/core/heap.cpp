#include "relic/core/heap.h"

#include <cstdlib>

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

}  // namespace relic
