// Trainings that are killed at random moments, over and over.
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "apps/program.h"
#include "relic/core/file.h"
#include "relic/core/random.h"
#include "relic/formats/pth.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "support/same_state.h"

namespace relic {
namespace {

using testing::Child;
using testing::slurp;

struct Case {
  const char* name;
  std::vector<std::string> settings;
  int rounds;
  std::uint32_t milliseconds_to_start;
  bool on_gpu = false;
};

class Kills : public testing::ProgramTest, public ::testing::WithParamInterface<Case> {
 protected:
  /// Of a training that is far too long to come to its end between two kills.
  std::vector<std::string> settings(const std::vector<std::string>& more) {
    auto all = arguments({"--log_every_n_steps", "2", "--proj_hidden_dim", "16", "--num_epochs", "4000"});
    all.insert(all.end(), GetParam().settings.begin(), GetParam().settings.end());
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Resumes the run up to `steps`, which is to end as one that was never killed.
  void compare_with_an_uninterrupted_run(std::int64_t steps);
};

/// Rows of metrics.csv without their last column, the rate.
std::vector<std::string> rows(const std::string& table) {
  std::istringstream text(table);
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line.substr(0, line.rfind(',')));
  return all;
}

/// Whether a file in the folder is being written, or was when the process ended.
bool holds_half_a_file(const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (is_temporary_file(entry.path())) return true;
  }
  return false;
}

/// Waits, a minute at most, until `seen` says so; whether it did.
template <typename Condition>
bool wait_until(Condition seen) {
  for (int i = 0; i < 60000; ++i) {
    if (seen()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

void Kills::compare_with_an_uninterrupted_run(std::int64_t steps) {
  const std::vector<std::string> end{"--max_steps", std::to_string(steps)};
  auto resumed = settings(end);
  resumed.emplace_back("--resume");
  const auto last = Child(resumed, folder_.path()).outcome();
  ASSERT_EQ(last.status, 0) << last.err;
  auto whole = settings(end);
  whole.insert(whole.end(), {"-save_model_dir", (folder_ / "whole").string(), "--log_every_n_steps", "1000"});
  const auto uninterrupted = Child(whole, folder_.path()).outcome();
  ASSERT_EQ(uninterrupted.status, 0) << uninterrupted.err;

  const RunDirectory run(folder_ / "run");
  const auto a = read_checkpoint(folder_ / "whole/checkpoint.pth");
  const auto b = read_checkpoint(run.checkpoint());
  EXPECT_EQ(b.progress.step, steps);
  testing::expect_equal(a, b);
  for (const char* weights : {"relic_model.pth", "encoder.pth", "encoder_best.pth"}) {
    const bool scored = std::filesystem::exists(folder_ / "whole" / weights);
    ASSERT_EQ(std::filesystem::exists(run.folder() / weights), scored) << weights;
    if (scored) {
      EXPECT_EQ(file(weights), slurp(folder_ / "whole" / weights)) << weights;
    }
  }
  EXPECT_EQ(rows(slurp(folder_ / "whole/metrics.csv")), rows(file("metrics.csv")));
  EXPECT_FALSE(std::filesystem::exists(run.folder() / RunDirectory::kLockName));
}

// Each round trains on, with a save after every other step, until it is killed: while it starts, while it trains, while
// it saves. The seed of the moments is printed, though what a moment meets differs from run to run.
TEST_P(Kills, AtRandomMomentsLoseNothingAndCountNothingTwice) {
  const auto& [name, more, rounds, milliseconds_to_start, on_gpu] = GetParam();
  if (on_gpu) {
    const auto usable = Child(settings({"--dry_run"}), folder_.path()).outcome();
    if (usable.err.find("--device cuda: ") != std::string::npos) GTEST_SKIP() << usable.err;
    ASSERT_EQ(usable.status, 0) << usable.err;
  }
  const auto seed = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  CounterRng random(seed, 0, 0, 0);
  std::cout << "seed of the moments: " << seed << '\n';
  const RunDirectory run(folder_ / "run");
  std::int64_t step = -1;
  int kills = 0;
  int saves_met = 0;
  int saves_cut_off = 0;
  for (int round = 0; round < rounds; ++round) {
    const Child child(settings({"--resume", "--num_workers", std::to_string(1 + round % 3)}), folder_.path());
    const int signal = round % 4 == 3 ? SIGTERM : SIGKILL;
    if (round % 3 != 0) child.wait_for_line("is chance");
    bool saving = false;
    if (round % 3 == 1) {
      saving = wait_until([&] { return holds_half_a_file(run.folder()); });
      if (round % 2 == 1) {  // not always at the file's beginning
        std::this_thread::sleep_for(std::chrono::milliseconds(random.below(100)));
      }
    } else {
      if (round % 3 == 2) {  // once it has come further
        std::error_code ignored;
        const auto before = std::filesystem::last_write_time(run.checkpoint(), ignored);
        wait_until([&] { return std::filesystem::last_write_time(run.checkpoint(), ignored) != before; });
      }
      const std::uint32_t longest = round % 3 == 0 ? milliseconds_to_start : 1000;
      std::this_thread::sleep_for(std::chrono::milliseconds(random.below(longest)));
    }
    child.send(signal);
    const auto outcome = child.outcome();
    // SIGTERM before its handler is there ends a process, too.
    const bool killed = outcome.signal == signal || (signal == SIGTERM && outcome.status == 143);
    EXPECT_TRUE(killed) << "status " << outcome.status << ", signal " << outcome.signal << ": " << outcome.err;
    kills += killed ? 1 : 0;
    saves_met += killed && saving ? 1 : 0;
    // A save that SIGKILL came into leaves half a file: what was seen before it may have been complete by then.
    saves_cut_off += signal == SIGKILL && killed && saving && holds_half_a_file(run.folder()) ? 1 : 0;
    if (!run.has_checkpoint()) {
      EXPECT_EQ(step, -1) << "a checkpoint is gone";
      continue;
    }
    const auto progress = read_checkpoint(run.checkpoint()).progress;
    EXPECT_GE(progress.step, step);
    step = progress.step;
    for (const auto& weights : {run.model(), run.encoder(), run.best_encoder()}) {
      if (std::filesystem::exists(weights)) {
        EXPECT_NO_THROW(read_state_dict(weights)) << weights;
      }
    }
    for (const auto kept : run.kept_steps()) EXPECT_EQ(read_checkpoint(run.checkpoint_of(kept)).progress.step, kept);
  }
  std::cout << "killed " << kills << " times up to step " << step << ", " << saves_met << " times in a save, of which "
            << saves_cut_off << " left half a file\n";
  EXPECT_EQ(kills, rounds);
  EXPECT_GT(step, 4);
  EXPECT_GT(saves_met, rounds / 10);
  EXPECT_GT(saves_cut_off, 0);

  compare_with_an_uninterrupted_run(step + 2);
}

std::string name_of(const ::testing::TestParamInfo<Case>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(Precision, Kills,
                         ::testing::Values(Case{"fp32", {"--precision", "fp32", "--no_scores"}, 25, 2500},
                                           Case{
                                               "bf16", {"--precision", "bf16", "--eval_every_n_steps", "3"}, 25, 2500}),
                         name_of);
#if RELIC_WITH_CUDA
INSTANTIATE_TEST_SUITE_P(
    Gpu, Kills,
    ::testing::Values(Case{
        "fp16", {"--device", "cuda", "--precision", "fp16", "--deterministic", "--no_scores"}, 12, 8000, true}),
    name_of);
#endif

}  // namespace
}  // namespace relic
