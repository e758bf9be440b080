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

/// A stand-in for the program, quick and of known scores: what it does hangs on its --alpha.
class SweepOfStandIns : public Sweep {
 protected:
  SweepOfStandIns() {
    const auto program = folder_ / "stand_in";
    testing::spit(program, R"(#!/usr/bin/env bash
printf '%s\n' "$*"
while [[ $# -gt 0 ]]; do
  case $1 in
    -save_model_dir) folder=$2 ;;
    --alpha) alpha=$2 ;;
  esac
  shift
done
[[ $alpha == homeless ]] && exit 0
mkdir -p "$folder"
case $alpha in
  slow) trap 'exit 143' TERM; for ((i = 0; i < 600; ++i)); do sleep 0.05; done ;;
  used) echo "error: $folder is in use by process 1"; exit 1 ;;
esac
declare -A held=([0]=0.5 [1]=0.9 [2]= [3]=0.75 [4]=0.0625) test=([0]=0.2 [1]=0.1 [2]=0.99 [3]=0.3 [4]=0.4)
printf 'step,held_out_linear,held_out_neighbours,test_linear,test_neighbours\n1,0.95,0.95,,\n2,,,,\n' >"$folder/metrics.csv"
printf '3,%s,0.3,,\n3,,,%s,0.2\n' "${held[$alpha]:-}" "${test[$alpha]:-}" >>"$folder/metrics.csv"
[[ -n ${held[$alpha]:-} ]] || sed -i 's/0.95//' "$folder/metrics.csv"
)");
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    ::setenv("RELIC_TRAIN", program.c_str(), 1);
  }

  [[nodiscard]] std::vector<std::string> column(std::size_t index) const {
    std::vector<std::string> cells;
    const auto rows = table();
    for (std::size_t i = 1; i < rows.size(); ++i) cells.push_back(rows[i].at(index));
    return cells;
  }
  void wait_for(const std::string& file) const {
    for (int i = 0; i < 600 && !exists(file); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
};

TEST_F(SweepOfStandIns, TheLastHeldOutScoreOrdersTheRunsAndTestScoresDoNot) {
  const auto outcome = sweep({"--alpha", "0,1,2,3,4", "--jobs", "3"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(column(1), (std::vector<std::string>{"1", "3", "0", "4", "2"}));
  EXPECT_EQ(column(4), (std::vector<std::string>{"0.9", "0.75", "0.5", "0.0625", ""}));
  EXPECT_EQ(column(6), (std::vector<std::string>{"0.1", "0.3", "0.2", "0.4", "0.99"}));
  EXPECT_LT(outcome.out.rfind("alpha=3"), outcome.out.rfind("alpha=0"));
  EXPECT_THAT(outcome.out, HasSubstr("75.0 %, 30.0 %"));
}

TEST_F(SweepOfStandIns, ASignalStopsAllRunsAndTheTableSaysHowTheyStand) {
  for (const auto& [signal, status] : {std::pair{SIGINT, 130}, {SIGTERM, 143}, {SIGHUP, 129}, {SIGUSR1, 75}}) {
    std::filesystem::remove_all(folder_ / "sweep");
    const Child child = start({"--alpha", "0,slow", "--seed", "1,2", "--jobs", "2"});
    wait_for("sweep/alpha=slow_seed=2");
    child.send(signal);
    const auto outcome = child.outcome();
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_EQ(column(3), (std::vector<std::string>{"complete", "complete", "interrupted", "interrupted"}));
  }
}

TEST_F(SweepOfStandIns, OneFaultCostsOneRun) {
  const auto outcome = sweep({"--alpha", "homeless,used,1", "--jobs", "2"});
  EXPECT_EQ(outcome.status, 1);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("alpha=homeless: failed (cannot write"), HasSubstr("alpha=1: complete"),
                                 HasSubstr("alpha=used: at work elsewhere")));
  EXPECT_EQ(table().size(), 4U);
}

TEST_F(SweepOfStandIns, WhatIsCompleteIsSoForItsOwnSettingsAlone) {
  testing::spit(folder_ / "c.toml", "gamma = 0.9\n");
  const std::vector<std::string> grid{"--alpha", "0,1", "--config", (folder_ / "c.toml").string()};
  EXPECT_THAT(sweep(grid).out, HasSubstr("begins"));
  EXPECT_THAT(sweep(grid).out, Not(HasSubstr("begins")));
  testing::spit(folder_ / "c.toml", "gamma = 0.8\n");
  EXPECT_THAT(sweep(grid).out, Not(HasSubstr("complete before")));
  auto longer = grid;
  longer.insert(longer.end(), {"--num_epochs", "3"});
  EXPECT_THAT(sweep(longer).out, HasSubstr("alpha=0: run 1 of 2 begins"));
  EXPECT_THAT(sweep(grid).out, HasSubstr("alpha=0: run 1 of 2 begins"));
}

TEST_F(SweepOfStandIns, OddValuesReachTheProgramAndTheTable) {
  const auto outcome = sweep({"--alpha", "0,1", "--log_file", "é \"a\\,b'"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_THAT(testing::slurp(folder_ / "sweep/alpha=0.log"), HasSubstr("--log_file é \"a,b' --alpha 0"));
  std::filesystem::remove_all(folder_ / "sweep");
  EXPECT_EQ(sweep({"--ckpt_path", "é \"a\\,b,c/d", "--alpha", "0"}).status, 0);
  EXPECT_THAT(
      testing::slurp(folder_ / "sweep/sweep.csv"),
      AllOf(HasSubstr("\n\"ckpt_path=é \"\"a,b\",\"é \"\"a,b\",complete"), HasSubstr("\nckpt_path=c-d,c/d,complete")));
}

TEST_F(Sweep, RunsShareTheCoresUnlessTheirNumberOfThreadsIsGiven) {
  EXPECT_THAT(sweep({"--alpha", "0,1", "--jobs", "1000", "--list"}).out,
              HasSubstr("--num_threads 1 --num_workers 1 -save_model_dir"));
  const auto given = sweep({"--num_threads", "1,2", "--jobs", "2", "--list"}).out;
  EXPECT_THAT(given,
              AllOf(HasSubstr("--num_threads 2 --num_workers"), Not(HasSubstr("--num_threads 2 --num_threads"))));
  EXPECT_THAT(sweep({"--alpha", "0,1", "--list"}).out, Not(HasSubstr("--num_threads")));
}

TEST_F(Sweep, RefusesWhatItCannotMean) {
  EXPECT_THAT(sweep({"--alpha", "1,1"}).err, HasSubstr("a value is listed twice"));
  EXPECT_THAT(sweep({"-save_model_dir", "x"}).err, HasSubstr("the sweep names the folders itself"));
  EXPECT_THAT(sweep({"--jobs", "0"}).err, HasSubstr("--jobs 0: must be an integer of at least 1"));
  EXPECT_THAT(sweep({"--dry"}).err, HasSubstr("--list prints the commands"));
  for (const auto& words : {std::vector<std::string>{"--gpus"}, {"--gpus="}, {"--jobs"}, {"--sweep_dir"}}) {
    const auto refused = sweep(words);
    EXPECT_EQ(refused.status, 2) << words[0];
    EXPECT_THAT(refused.err, HasSubstr("needs a value"));
  }
  EXPECT_THAT(sweep({"--gpus", "0", "--jobs", "2"}).err, HasSubstr("--gpus with --jobs"));
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
