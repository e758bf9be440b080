// scripts/sweep.sh over small runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <sstream>

#include "program.h"
#include "relic/core/file.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::Child;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Outcome;

class Sweep : public testing::ProgramTest {
 protected:
  Sweep() { ::setenv("RELIC_TRAIN", RELIC_TRAIN_PROGRAM, 1); }

  [[nodiscard]] Child start(const std::vector<std::string>& more) const {
    std::vector<std::string> all{"--sweep_dir",
                                 (folder_ / "sweep").string(),
                                 "--dataset_name",
                                 "cifar10",
                                 "--dataset_path",
                                 (folder_ / "data").string(),
                                 "--device",
                                 "cpu",
                                 "-b",
                                 "4",
                                 "--num_local_views",
                                 "0"};
    all.insert(all.end(), more.begin(), more.end());
    return {all, folder_.path(), nullptr, RELIC_SWEEP_SCRIPT};
  }
  [[nodiscard]] Outcome sweep(const std::vector<std::string>& more) const { return start(more).outcome(); }

  /// Lines of sweep.csv as cells.
  [[nodiscard]] std::vector<std::vector<std::string>> table() const {
    std::vector<std::vector<std::string>> rows;
    std::istringstream text(testing::slurp(folder_ / "sweep/sweep.csv"));
    for (std::string line; std::getline(text, line);) {
      rows.emplace_back();
      std::istringstream cells(line + ",");
      for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
    }
    return rows;
  }
  [[nodiscard]] bool exists(const std::string& file) const { return std::filesystem::exists(folder_ / file); }
};

TEST_F(Sweep, TrainsEveryCombinationSortsByHeldOutScoreAndSkipsWhatIsComplete) {
  const std::vector<std::string> grid{"-lr", "1e-3,0", "--alpha", "0,1", "--max_steps", "2", "--jobs", "2"};
  const auto outcome = sweep(grid);
  ASSERT_EQ(outcome.status, 0) << outcome.out << outcome.err;
  const auto rows = table();
  ASSERT_EQ(rows.size(), 5U);
  EXPECT_EQ(rows[0], (std::vector<std::string>{"run", "lr", "alpha", "status", "steps", "held_out_linear",
                                               "held_out_neighbours", "test_linear", "test_neighbours"}));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), rows[0].size());
    EXPECT_EQ(rows[i][0], "lr=" + rows[i][1] + "_alpha=" + rows[i][2]);
    EXPECT_EQ(rows[i][3], "complete");
    EXPECT_EQ(rows[i][4], "2");
    if (i > 1) {
      EXPECT_GE(std::stod(rows[i - 1][5]), std::stod(rows[i][5]));
    }
    EXPECT_GE(std::stod(rows[i][7]), 0);
    EXPECT_TRUE(exists("sweep/" + rows[i][0] + "/encoder.pth"));
    EXPECT_THAT(testing::slurp(folder_ / "sweep" / rows[i][0] / "settings.toml"),
                HasSubstr("alpha = " + rows[i][2] + ".0"));
  }
  const auto before = read_file(folder_ / "sweep/lr=0_alpha=0/checkpoint.pth");
  const auto again = sweep(grid);
  EXPECT_EQ(again.status, 0);
  EXPECT_THAT(again.out, AllOf(HasSubstr("lr=0_alpha=0: complete before"), Not(HasSubstr("begins"))));
  EXPECT_EQ(read_file(folder_ / "sweep/lr=0_alpha=0/checkpoint.pth"), before);
  EXPECT_EQ(table(), rows);
}

TEST_F(Sweep, AFailureDoesNotEndIt) {
  const auto outcome = sweep({"--gamma", "2,0.9", "--max_steps", "1"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("gamma=2: failed (exit status 2), see"),
                    HasSubstr("--gamma 2: must be a number from 0 to 1"), HasSubstr("gamma=0.9: complete")));
  const auto rows = table();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1][0], "gamma=0.9");
  EXPECT_EQ(rows[2][2], "failed (exit status 2)");
}

TEST_F(Sweep, OneThatIsInterruptedIsResumedByTheSameCommand) {
  const std::vector<std::string> grid{"--alpha", "0,1", "--num_epochs", "4"};
  const Child child = start(grid);
  const auto metrics = folder_ / "sweep/alpha=0/metrics.csv";
  std::error_code ignored;
  for (int i = 0; i < 600 && std::filesystem::file_size(metrics, ignored) + 1 <= 1; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  child.send(SIGTERM);
  const auto stopped = child.outcome();
  EXPECT_EQ(stopped.status, 143) << stopped.out << stopped.err;
  EXPECT_THAT(stopped.out, AllOf(HasSubstr("alpha=0: interrupted"), Not(HasSubstr("alpha=1: run 2"))));
  auto rows = table();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1][2] + ", " + rows[2][2], "interrupted, not begun");
  const auto steps_before = std::stoi(rows[1][3]);
  EXPECT_GE(steps_before, 1);
  EXPECT_LT(steps_before, 20);

  const auto resumed = sweep(grid);
  EXPECT_EQ(resumed.status, 0) << resumed.out << resumed.err;
  EXPECT_THAT(testing::slurp(folder_ / "sweep/alpha=0.log"), HasSubstr("resuming"));
  rows = table();
  for (const std::size_t row : {1U, 2U}) {
    EXPECT_EQ(rows[row][2], "complete");
    EXPECT_EQ(rows[row][3], "20");
  }
}

TEST_F(Sweep, RefusesWhatItCannotMean) {
  EXPECT_THAT(sweep({"--alpha", "1,1"}).err, HasSubstr("a value is listed twice"));
  EXPECT_THAT(sweep({"-save_model_dir", "x"}).err, HasSubstr("the sweep names the folders itself"));
  EXPECT_THAT(sweep({"--jobs", "0"}).err, HasSubstr("--jobs 0: must be an integer of at least 1"));
  const auto outcome = sweep({"stray"});
  EXPECT_EQ(outcome.status, 2);
  EXPECT_THAT(outcome.err, HasSubstr("'stray' belongs to no flag"));
}

TEST_F(Sweep, ListsTheCommandsAndGivesEachGpuARun) {
  const auto outcome = sweep({"--use_siglip=false,true", "--dataset_path", "a\\,b", "--gpus", "3", "--list"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(testing::count_lines(outcome.out), 2U);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("--use_siglip=true -save_model_dir"), HasSubstr("a\\,b"),
                                 HasSubstr("/use_siglip=true --device cuda:3")));
  EXPECT_FALSE(exists("sweep"));
}

}  // namespace
}  // namespace relic
