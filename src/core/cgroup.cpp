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
std::vector<Mount> cgroup_mounts(const fs::path& root) {
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
    if (type == "cgroup2" || (type == "cgroup" && has_item(options, "cpu"))) {
      mounts.push_back({type == "cgroup2", options, group, point});
    }
  }
  return mounts;
}

std::optional<double> quota_version2(const fs::path& folder) {
  std::ifstream file(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) {
    return std::nullopt;
  }
  return std::strtod(quota.c_str(), nullptr) / period;
}

std::optional<double> quota_version1(const fs::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us");
  std::ifstream period_file(folder / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) {
    return std::nullopt;
  }
  return quota / period;
}

/// The smallest quota from `group` (a path as /proc/self/cgroup gives it) up to the mount's top.
std::optional<double> smallest_quota(const fs::path& root, const Mount& mount, const fs::path& group) {
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
    const std::optional<double> quota = mount.version2 ? quota_version2(folder) : quota_version1(folder);
    if (quota) {
      smallest = smallest ? std::min(*smallest, *quota) : *quota;
    }
    if (folder == top || folder == folder.root_path() || folder.empty()) {
      return smallest;
    }
  }
}

}  // namespace

std::optional<double> cgroup_cpu_limit(const fs::path& root) {
  const std::vector<Mount> mounts = cgroup_mounts(root);
  std::optional<double> limit;
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
    if (!version2 && !has_item(controllers, "cpu")) {
      continue;
    }
    for (const Mount& mount : mounts) {
      if (mount.version2 != version2) {
        continue;
      }
      const std::optional<double> quota = smallest_quota(root, mount, line.substr(second + 1));
      if (quota) {
        limit = limit ? std::min(*limit, *quota) : *quota;
      }
    }
  }
  return limit;
}

}  // namespace relic
