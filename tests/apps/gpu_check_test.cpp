// scripts/gpu_check.sh as far as it goes without a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "program.h"
#include "relic/core/file.h"

namespace relic {
namespace {

using testing::Child;
using ::testing::HasSubstr;
using testing::Outcome;

class GpuCheck : public testing::ProgramTest {
 protected:
  [[nodiscard]] Outcome check(const std::vector<std::string>& arguments) const {
    return Child(arguments, folder_.path(), nullptr, RELIC_GPU_CHECK_SCRIPT).outcome();
  }
};

TEST_F(GpuCheck, StopsWhereThereIsNoGpu) {
  // A driver's tool that finds nothing, before whatever this machine has.
  const auto tool = folder_ / "nvidia-smi";
  write_file(tool, "#!/bin/sh\necho 'No devices were found'\nexit 6\n");
  std::filesystem::permissions(tool, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder_.path().string() + ":" + path).c_str(), 1);
  const auto outcome = check({"build"});
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(outcome.status, 3) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("No GPU here"));
}

TEST_F(GpuCheck, SaysWhichStagesThereAre) {
  const auto outcome = check({"fly"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("fly is no stage and no option"));
}

}  // namespace
}  // namespace relic
