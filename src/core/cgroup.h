// How much processor time and memory Linux control groups grant to this process.
#pragma once

#include <filesystem>
#include <optional>

namespace relic {

/// Processors' worth of time that this process may use: the smallest quota of its own control group and of those above
/// it, version 2 (cpu.max) or 1 (cpu.cfs_quota_us); none where nothing limits it or there are no control groups.
/// `root` is where /proc and /sys are looked for.
std::optional<double> cgroup_cpu_limit(const std::filesystem::path& root = "/");

/// Bytes that this process may still take before it is killed: the smallest difference of a limit (memory.max,
/// memory.limit_in_bytes) and what is used, cached files that can go aside, of the same groups.
std::optional<double> cgroup_memory_left(const std::filesystem::path& root = "/");

}  // namespace relic
