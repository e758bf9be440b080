#include "core/cgroup.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace relic {
namespace {

namespace fs = std::filesystem;

/// One control group hierarchy as it is mounted.
struct Mount {
  bool version2 = false;
  std::string controllers;  // of version 1, comma separated
  fs::path group;           // the group that the mount shows at its top
  fs::path point;
};

bool has_item(const std::string& list, std::string_view item) {
  std::istringstream items(list);
  for (std::string each; std::getline(items, each, ',');) {
    if (each == item) {
      return true;
    }
  }
  return false;
}

/// /proc/self/mountinfo: `id parent device root point options [optional…] - type source super_options`.
std::vector<Mount> cgroup_mounts(const fs::path& root, std::string_view controller) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t separator = line.find(" - ");
    if (separator == std::string::npos) {
      continue;
    }
    std::istringstream left(line.substr(0, separator));
    std::istringstream right(line.substr(separator + 3));
    std::string skipped;
    std::string group;
    std::string point;
    std::string type;
    std::string options;
    left >> skipped >> skipped >> skipped >> group >> point;
    right >> type >> skipped >> options;
    if (type == "cgroup2" || (type == "cgroup" && has_item(options, controller))) {
      mounts.push_back({type == "cgroup2", options, group, point});
    }
  }
  return mounts;
}

/// What one group's folder says of it; nothing where that limits nothing.
using ReadGroup = std::optional<double> (*)(const fs::path& folder, bool version2);

std::optional<double> processors_version2(const fs::path& folder) {
  std::ifstream file(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) {
    return std::nullopt;
  }
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> processors_version1(const fs::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us");
  std::ifstream period_file(folder / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) {
    return std::nullopt;
  }
  return quota / period;
}

std::optional<double> processors(const fs::path& folder, bool version2) {
  return version2 ? processors_version2(folder) : processors_version1(folder);
}

/// Bytes of files that the group was charged for and that go when something else needs their place.
double cached_files(const fs::path& folder, bool version2) {
  const std::string prefix = version2 ? "" : "total_";  // of groups below it, too
  std::ifstream file(folder / "memory.stat");
  double sum = 0;
  std::string key;
  for (double bytes = 0; file >> key >> bytes;) {
    if (key == prefix + "inactive_file" || key == prefix + "active_file") {
      sum += bytes;
    }
  }
  return sum;
}

std::optional<double> memory_left(const fs::path& folder, bool version2) {
  std::ifstream limit_file(folder / (version2 ? "memory.max" : "memory.limit_in_bytes"));
  std::ifstream usage_file(folder / (version2 ? "memory.current" : "memory.usage_in_bytes"));
  double limit = 0;
  double usage = 0;
  constexpr double unlimited = 1e18;  // version 1 has a number for it, version 2 the word "max"
  if (!(limit_file >> limit) || !(usage_file >> usage) || limit > unlimited) {
    return std::nullopt;
  }
  const double kept = std::max(0.0, usage - cached_files(folder, version2));
  return std::max(0.0, limit - kept);
}

std::optional<double> smaller_of(const std::optional<double>& a, const std::optional<double>& b) {
  return a && b ? std::min(*a, *b) : a ? a : b;
}

/// The smallest value from `group` (a path as /proc/self/cgroup gives it) up to the mount's top.
std::optional<double> smallest_above(const fs::path& root, const Mount& mount, const fs::path& group, ReadGroup read) {
  fs::path below = group.lexically_relative(mount.group);
  if (below.empty() || *below.begin() == "..") {
    below = ".";  // a group that this mount does not show: a container that sees its own group as the top
  }
  const fs::path top = (root / mount.point.relative_path()).lexically_normal();
  std::optional<double> smallest;
  for (fs::path folder = (top / below).lexically_normal();; folder = folder.parent_path()) {
    if (!folder.has_filename()) {
      folder = folder.parent_path();  // "a/." is "a/" once normal
    }
    smallest = smaller_of(smallest, read(folder, mount.version2));
    if (folder == top || folder == folder.root_path() || folder.empty()) {
      return smallest;
    }
  }
}

/// The smallest value of this process's groups and of those above them.
std::optional<double> smallest(const fs::path& root, std::string_view controller, ReadGroup read) {
  const std::vector<Mount> mounts = cgroup_mounts(root, controller);
  std::optional<double> found;
  std::ifstream file(root / "proc/self/cgroup");
  // `id:controllers:group`; version 2 has id 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version2 = controllers.empty();
    if (!version2 && !has_item(controllers, controller)) {
      continue;
    }
    for (const Mount& mount : mounts) {
      if (mount.version2 != version2) {
        continue;
      }
      found = smaller_of(found, smallest_above(root, mount, line.substr(second + 1), read));
    }
  }
  return found;
}

}  // namespace

std::optional<double> cgroup_cpu_limit(const fs::path& root) { return smallest(root, "cpu", processors); }

std::optional<double> cgroup_memory_left(const fs::path& root) { return smallest(root, "memory", memory_left); }

}  // namespace relic
