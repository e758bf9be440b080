#include "relic/core/heap.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>

#include "core/cgroup.h"

// A sanitizer's heap is its own.
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RELIC_HEAP_IS_GLIBCS 1
#include <malloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#else
#define RELIC_HEAP_IS_GLIBCS 0
#endif

namespace relic {

#if RELIC_HEAP_IS_GLIBCS

namespace {

bool is_unlimited(int resource) {
  rlimit limit{};
  return ::getrlimit(resource, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY;
}

/// Whether addresses cost nothing: nobody counts them, and malloc does not write to what it gives.
bool may_reserve_addresses() {
  std::ifstream file("/proc/sys/vm/overcommit_memory");
  constexpr int strict = 2;
  int overcommit = strict;
  return file >> overcommit && overcommit != strict && is_unlimited(RLIMIT_AS) && is_unlimited(RLIMIT_DATA) &&
         std::getenv("MALLOC_PERTURB_") == nullptr;
}

/// Asks the system for huge pages in what the heap grows into first, so that threads seldom wait for the page table.
/// The heap grows by `bytes` and all of that is freed: it reserves addresses; memory is taken as it is used.
void grow_in_huge_pages(std::size_t bytes) {
  constexpr std::uintptr_t huge_page = std::uintptr_t{1} << 21U;
  char* const block = static_cast<char*>(std::malloc(bytes));
  if (block == nullptr) return;
  const std::uintptr_t before = (huge_page - reinterpret_cast<std::uintptr_t>(block) % huge_page) % huge_page;
  if (before + huge_page <= bytes) {
    ::madvise(block + before, (bytes - before) / huge_page * huge_page, MADV_HUGEPAGE);
  }
  std::free(block);
}

}  // namespace

void keep_freed_memory() {
  ::mallopt(M_MMAP_MAX, 0);         // blocks of the main thread from the heap
  ::mallopt(M_TRIM_THRESHOLD, -1);  // which does not shrink
  if (may_reserve_addresses()) grow_in_huge_pages(static_cast<std::size_t>(available_memory().value_or(0) / 2));
}

#else

void keep_freed_memory() {}

#endif

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
