// scripts/gpu_check.sh as far as it goes without a GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "apps/program.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;
using ::testing::StartsWith;

/// The script in a checkout of its own that holds nothing else, with stand-ins for what a machine with a GPU has before
/// whatever this one has.
class GpuCheck : public testing::ProgramTest {
 protected:
  GpuCheck() {
    std::filesystem::create_directory(folder_ / "checkout");
    std::filesystem::copy(std::filesystem::path(RELIC_GPU_CHECK_SCRIPT).parent_path(), folder_ / "checkout/scripts");
    stand_in("bin/nvidia-smi", "echo 'GPU Pretend, 580.1, 81559 MiB'");
    stand_in("bin/nvcc", "echo 'Cuda compilation tools, release 13.0, V13.0.1'");
    stand_in("bin/python3", "echo torch 2.13.0 CUDA 13.0");
  }

  void stand_in(const std::string& program, const std::string& commands) const {
    testing::spit(folder_ / program, "#!/bin/sh\n" + commands + "\n");
    std::filesystem::permissions(folder_ / program, std::filesystem::perms::owner_all);
  }
  [[nodiscard]] Outcome check(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"PATH=" + (folder_ / "bin").string() + ":" + std::getenv("PATH"),
                                         (folder_ / "checkout/scripts/gpu_check.sh").string(), "--report",
                                         (folder_ / "report.md").string()});
    return Child(arguments, folder_.path(), nullptr, "/usr/bin/env").outcome();
  }
  [[nodiscard]] std::string report() const { return testing::slurp(folder_ / "report.md"); }
};

TEST_F(GpuCheck, StopsWhereThereIsNoGpu) {
  stand_in("bin/nvidia-smi", "echo 'No devices were found'; exit 6");
  const auto outcome = check({"build"});
  EXPECT_EQ(outcome.status, 3) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("No GPU here"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report.md"));
}

TEST_F(GpuCheck, SaysWhichStagesThereAre) {
  const auto outcome = check({"fly"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.err, HasSubstr("fly is no stage and no option"));
  EXPECT_THAT(check({"--python", "/no/python"}).err, HasSubstr("--python /no/python: there is no such program"));
  EXPECT_THAT(check({"--device", "gpu"}).err, HasSubstr("--device gpu: must be cpu, cuda or cuda:N"));
  EXPECT_THAT(check({"--data", "/no/data"}).err, HasSubstr("--data /no/data: there is no such folder"));
}

TEST_F(GpuCheck, ReportsTheMachineAndEveryStageAlsoAfterOneThatFails) {
  stand_in("bin/compute-sanitizer", R"(echo "$2 over the kernels"
echo '[  PASSED  ] 2 tests.'
[ "$2" != memcheck ])");  // the first of two finds something
  stand_in("checkout/build/gpu/bin/relic_train", R"(echo "trained with $*")");
  const auto outcome = check({"sanitizer", "profile"});
  EXPECT_EQ(outcome.status, 1) << outcome.out << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("Report: " + (folder_ / "report.md").string()));
  const auto text = report();
  EXPECT_THAT(text, StartsWith("# relic_train on a GPU\n- "));
  EXPECT_THAT(text, AllOf(HasSubstr("\n- GPU Pretend, 580.1, 81559 MiB\n"), HasSubstr("\n- torch 2.13.0 CUDA 13.0\n"),
                          HasSubstr("\n- nvcc 13.0, V13.0.1\n")));
  const auto second = text.find("\n## profile: passed, ");
  ASSERT_NE(second, std::string::npos) << text;
  // Of each stage its commands and what it said.
  EXPECT_THAT(text.substr(0, second),
              AllOf(HasSubstr("\n## sanitizer: failed, "),
                    HasSubstr("\nenv PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool racecheck "),
                    HasSubstr("\nmemcheck over the kernels\n[  PASSED  ] 2 tests.\nracecheck over the kernels\n")));
  EXPECT_THAT(text.substr(second),
              AllOf(HasSubstr("\nbuild/gpu/bin/relic_train --dataset_name shapes"),
                    HasSubstr("\ntrained with --dataset_name shapes"), HasSubstr("--precision fp16 -b 256"),
                    HasSubstr(" --cuda_graph=auto "), HasSubstr(" --cuda_graph=off "), HasSubstr(" --bn_per_view ")));
}

TEST_F(GpuCheck, ATestThatIsSkippedFailsWhereThereIsAGpu) {
  stand_in("bin/ctest", "echo '1/1 Test #1: Gpu.Counts ...***Skipped  0.1 sec'; echo '100% tests passed'");
  EXPECT_EQ(check({"tests"}).status, 1);
  EXPECT_THAT(report(), AllOf(HasSubstr("\n## tests: failed, "), HasSubstr("\n1/1 Test #1: Gpu.Counts ...***Skipped")));
  EXPECT_EQ(check({"tests", "--device", "cpu"}).status, 0);
  EXPECT_THAT(report(), HasSubstr("\n## tests: passed, "));
}

TEST_F(GpuCheck, WhatTheGpusTestsMeasuredIsReported) {
  stand_in("bin/ctest", R"(mkdir -p build/gpu/Testing/Temporary
printf '1/2 Test: Gpu.Counts\nCommand: "test_gpu" "x"\nOutput:\n[ RUN ]\n  they differ by 2e-7\n' >build/gpu/Testing/Temporary/LastTest.log
printf '2/2 Test: Help.Prints\nCommand: "test_apps" "x"\n  a line of help\n' >>build/gpu/Testing/Temporary/LastTest.log
echo '100% tests passed')");
  EXPECT_EQ(check({"tests"}).status, 0);
  EXPECT_THAT(report(), AllOf(HasSubstr("\n100% tests passed\nGpu.Counts:  they differ by 2e-7\n"),
                              Not(HasSubstr("a line of help"))));
}

TEST_F(GpuCheck, ATestThatNeedsWhatIsNotTheGpusMayBeSkipped) {
  stand_in("bin/ctest", "echo '1/1 Test #1: Interop.probe_and_embed ...***Skipped  0.1 sec'; echo '100% tests passed'");
  EXPECT_EQ(check({"tests"}).status, 0);
}

TEST_F(GpuCheck, ASanitizerThatSawNoTestFails) {
  stand_in("bin/compute-sanitizer", "echo '[  PASSED  ] 0 tests.'");
  EXPECT_EQ(check({"sanitizer"}).status, 1);
  stand_in("bin/compute-sanitizer", "echo '[  PASSED  ] 2 tests.'");
  EXPECT_EQ(check({"sanitizer"}).status, 0);
}

TEST_F(GpuCheck, TheOriginalIsLeftOutWhereItIsMissing) {
  stand_in("bin/python3", "case $2 in *find_spec*) echo relic ;; *) echo torch ;; esac");
  EXPECT_EQ(check({"original"}).status, 0);
  EXPECT_THAT(report(), AllOf(HasSubstr("\n## original: left out, "), HasSubstr("python3: relic\n")));
}

TEST_F(GpuCheck, WhatABuildThatFailsLeftIsNotMeasured) {
  stand_in("bin/cmake", "echo 'error: no room for objects'; exit 1");
  stand_in("checkout/build/gpu/bin/relic_train", "echo trained");
  EXPECT_EQ(check({"build", "profile"}).status, 1);
  EXPECT_THAT(report(), AllOf(HasSubstr("\n## build: failed, "), HasSubstr("\nerror: no room for objects\n"),
                              Not(HasSubstr("profile"))));
}

}  // namespace
}  // namespace relic
