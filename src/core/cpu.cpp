#include "relic/core/cpu.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/cgroup.h"

namespace relic {
namespace {

int cores_in_affinity_mask() {
  // The kernel refuses a mask shorter than its own; cpu_set_t holds 1,024 processors.
  for (std::size_t sets = 1; sets <= 64; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const std::size_t bytes = sets * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, mask.data()) == 0) {
      return CPU_COUNT_S(bytes, mask.data());
    }
    if (errno != EINVAL) {
      break;
    }
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int available_cores() {
  int cores = cores_in_affinity_mask();
  if (const std::optional<double> limit = cgroup_cpu_limit(); limit && *limit < cores) {
    cores = static_cast<int>(std::ceil(*limit));
  }
  return std::max(cores, 1);
}

std::string processor_name() {
  std::string name;
  std::string family;
  std::string model;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line) && !line.empty();) {
    const auto value = [&line](std::string_view key) {
      const bool matches = line.starts_with(key) && line.find_first_not_of("\t ", key.size()) == line.find(':');
      return matches ? line.substr(std::min(line.size(), line.find(':') + 2)) : std::string{};
    };
    name += value("model name");
    family += value("cpu family");
    model += value("model");
  }
  if (name.empty()) {
    return "a processor of unknown name";
  }
  return family.empty() ? name : name + " (family " + family + ", model " + model + ")";
}

}  // namespace relic
