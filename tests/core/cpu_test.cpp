#include "relic/core/cpu.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

#include "core/cgroup.h"
#include "relic/core/heap.h"
#include "support/resource_limit.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::ResourceLimit;
using testing::spit;
using testing::TemporaryFolder;

const std::string version2_mount = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string version1_mount =
    "31 23 0:27 / /sys/fs/cgroup/memory rw shared:5 - cgroup cgroup rw,memory\n"
    "32 23 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:6 - cgroup cgroup rw,cpu,cpuacct\n";

TEST(CgroupCpuLimit, IsTheSmallestOfVersion2GroupsUpToTheTop) {
  const TemporaryFolder root;
  spit(root / "proc/self/mountinfo", version2_mount);
  spit(root / "proc/self/cgroup", "0::/user.slice/job\n");
  spit(root / "sys/fs/cgroup/user.slice/job/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), std::nullopt);
  spit(root / "sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 1.5);
  spit(root / "sys/fs/cgroup/user.slice/job/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 0.5);
  spit(root / "sys/fs/cgroup/cpu.max", "20000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 0.2);
}

TEST(CgroupCpuLimit, ReadsVersion1Quotas) {
  const TemporaryFolder root;
  spit(root / "proc/self/mountinfo", version1_mount);
  spit(root / "proc/self/cgroup", "5:memory:/other\n4:cpu,cpuacct:/docker/abc\n");
  const auto group = root / "sys/fs/cgroup/cpu,cpuacct/docker";
  spit(group / "abc/cpu.cfs_quota_us", "-1\n");
  spit(group / "abc/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), std::nullopt);
  spit(group / "cpu.cfs_quota_us", "250000\n");
  spit(group / "cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 2.5);
}

TEST(CgroupCpuLimit, FindsTheGroupOfAContainer) {
  // A container may see its own group as the mount's top, under the host's name for it.
  const TemporaryFolder root;
  spit(root / "proc/self/mountinfo",
       "32 23 0:28 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
       "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
  spit(root / "proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n0::/../../elsewhere\n");
  spit(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  spit(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 3.0);
  spit(root / "sys/fs/cgroup/unified/cpu.max", "100000 100000\n");
  EXPECT_EQ(cgroup_cpu_limit(root.path()), 1.0);
}

TEST(CgroupCpuLimit, IsNoneWithoutControlGroups) {
  const TemporaryFolder root;
  EXPECT_EQ(cgroup_cpu_limit(root.path()), std::nullopt);
}

TEST(CgroupMemoryLeft, IsTheSmallestOfVersion2GroupsWithoutWhatCanGoAside) {
  const TemporaryFolder root;
  spit(root / "proc/self/mountinfo", version2_mount);
  spit(root / "proc/self/cgroup", "0::/user.slice/job\n");
  spit(root / "sys/fs/cgroup/user.slice/job/memory.max", "max\n");
  spit(root / "sys/fs/cgroup/user.slice/job/memory.current", "1000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt);
  spit(root / "sys/fs/cgroup/user.slice/memory.max", "8000\n");
  spit(root / "sys/fs/cgroup/user.slice/memory.current", "5000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 3000);
  spit(root / "sys/fs/cgroup/user.slice/memory.stat", "anon 1500\ninactive_file 2500\nactive_file 1000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 6500);
  spit(root / "sys/fs/cgroup/user.slice/job/memory.max", "900\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 0);
}

TEST(CgroupMemoryLeft, ReadsVersion1Limits) {
  const TemporaryFolder root;
  spit(root / "proc/self/mountinfo", version1_mount);
  spit(root / "proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/other\n");
  const auto group = root / "sys/fs/cgroup/memory/docker/abc";
  spit(group / "memory.limit_in_bytes", "9223372036854771712\n");
  spit(group / "memory.usage_in_bytes", "2500\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt);
  spit(group / "memory.limit_in_bytes", "6000\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 3500);
  spit(group / "memory.stat", "inactive_file 1\ntotal_inactive_file 500\n");
  EXPECT_EQ(cgroup_memory_left(root.path()), 4000);
  std::filesystem::remove(group / "memory.usage_in_bytes");  // how much is used is not told
  EXPECT_EQ(cgroup_memory_left(root.path()), std::nullopt);
}

TEST(AvailableMemory, IsLessThanThereIs) {
  const auto bytes = available_memory();
  ASSERT_TRUE(bytes.has_value());
  EXPECT_GT(*bytes, 1e6);
  EXPECT_LT(*bytes, static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/// The flags of the mapping that holds `address` in this process, as /proc/self/smaps has them.
std::string flags_of_mapping(std::uintptr_t address) {
  std::ifstream file("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') inside = begin <= address && address < end;
    if (inside && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

double resident_megabytes() {
  std::ifstream file("/proc/self/statm");
  double all = 0;
  double resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

/// How a process ends that has taken a block from its heap and given it back: by the sum of what is not as it should
/// be.
[[noreturn]] void try_heap() {
  constexpr std::size_t size = std::size_t{64} << 20U;
  const double before = resident_megabytes();
  keep_freed_memory();
  const bool takes_no_memory = resident_megabytes() < before + 10;
  char* const block = static_cast<char*>(std::malloc(size));
  std::fill(block, block + size, 'a');
  const std::uintptr_t middle = reinterpret_cast<std::uintptr_t>(block) + size / 2;
  const bool asks_for_huge_pages = flags_of_mapping(middle).find(" hg") != std::string::npos;
  std::free(block);
  const bool keeps_it = !flags_of_mapping(middle).empty();
  std::_Exit((takes_no_memory ? 0 : 1) + (asks_for_huge_pages ? 0 : 2) + (keeps_it ? 0 : 4));
}

TEST(Heap, AsksForHugePagesTakesNoMemoryAndKeepsWhatIsFreed) {
  const bool system_has_them = std::filesystem::exists("/sys/kernel/mm/transparent_hugepage/enabled");
  EXPECT_EXIT(try_heap(), ::testing::ExitedWithCode(system_has_them ? 0 : 2), "");
}

TEST(Heap, LeavesLimitedAddressesAlone) {
  const ResourceLimit addresses(RLIMIT_AS, rlim_t{8} << 30U);
  EXPECT_EXIT(try_heap(), ::testing::ExitedWithCode(2), "");
}
#endif

TEST(AvailableCores, FollowsTheAffinityMask) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  int allowed = -1;
  for (int core = 0; core < CPU_SETSIZE && allowed < 0; ++core) {
    allowed = CPU_ISSET(core, &before) ? core : -1;
  }
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(allowed, &one);
  ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_cores(), 1);
  ::sched_setaffinity(0, sizeof before, &before);
  EXPECT_GE(available_cores(), 1);
  EXPECT_LE(available_cores(), CPU_COUNT(&before));
  std::cout << available_cores() << " cores\n";
}

}  // namespace
}  // namespace relic
