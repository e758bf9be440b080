#include "relic/train/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <filesystem>
#include <numeric>
#include <sstream>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/formats/pth.h"
#include "relic/nn/state_dict.h"
#include "support/hashed_images.h"
#include "support/temporary_folder.h"
#include "train/training_run.h"

namespace relic {
namespace {

using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::TrainingRun;

constexpr std::size_t kImages = 32;

Evaluator evaluator_of(const TrainingRun& run, const TrainConfig& config, Watch watch = {}) {
  return {config, choose_runtime(config), run.dataset, &run.dataset, std::move(watch)};
}

/// Rows of metrics.csv as lists of cells, the heading's first.
std::vector<std::vector<std::string>> table_of(const RunDirectory& run) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& line : testing::lines_of(run.metrics())) {
    std::vector<std::string> cells;
    std::istringstream text(line + ",");
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    rows.push_back(cells);
  }
  return rows;
}

std::string cell(const std::vector<std::vector<std::string>>& table, std::size_t row, const std::string& column) {
  const auto& names = table.at(0);
  return table.at(row).at(static_cast<std::size_t>(std::ranges::find(names, column) - names.begin()));
}

TEST(Evaluation, ARunWithItEndsInTheSameWeightsAsOneWithout) {
  for (const char* precision : {"fp32", "bf16"}) {
    TemporaryFolder folder;
    auto config = testing::small_config(folder / "without");
    config.precision = precision;
    config.max_steps = 5;
    config.eval_every_n_steps = 2;
    TrainingRun without(config, kImages);
    without.trainer->run(testing::never);

    config.save_model_dir = folder / "with";
    TrainingRun with(config, kImages);
    const auto evaluator = evaluator_of(with, config);
    with.trainer->evaluate_with(evaluator);
    with.trainer->run(testing::never);

    const auto a = read_checkpoint(without.directory.checkpoint());
    const auto b = read_checkpoint(with.directory.checkpoint());
    testing::expect_equal(a.model, b.model);
    testing::expect_equal(a.first_moments, b.first_moments);
    testing::expect_equal(a.second_moments, b.second_moments);
    EXPECT_EQ(a.progress.evaluated_step, 0);
    EXPECT_EQ(b.progress.evaluated_step, 5);

    // Steps 1 to 5 and evaluations after 2, 4 and the last, every row as long as the heading.
    const auto table = table_of(with.directory);
    ASSERT_EQ(table.size(), 9U);
    for (const auto& row : table) EXPECT_EQ(row.size(), table[0].size());
    EXPECT_EQ(cell(table, 2, "held_out_linear"), "");
    EXPECT_EQ(cell(table, 3, "step"), "2");
    EXPECT_EQ(cell(table, 3, "loss"), "");
    EXPECT_EQ(cell(table, 8, "step"), "5");
    for (const std::size_t row : {3U, 6U, 8U}) {
      const double linear = std::stod(cell(table, row, "held_out_linear"));
      EXPECT_TRUE(linear == 0 || std::abs(linear - 1.0 / 3) < 1e-6 || std::abs(linear - 2.0 / 3) < 1e-6 || linear == 1);
      EXPECT_GE(std::stod(cell(table, row, "feature_rank")), 1);
      EXPECT_LT(std::stod(cell(table, row, "uniformity")), 0);
      EXPECT_GT(std::stod(cell(table, row, "alignment")), 0);
    }
  }
}

TEST(Evaluation, ATenthIsHeldOutByTheSeedAndTheRestIsFittedOn) {
  TemporaryFolder folder;
  const auto config = testing::small_config(folder / "run");
  TrainingRun run(config, kImages);
  std::vector<std::string> told;
  const Watch watch{.progress = [&](const std::string& where) { told.push_back(where); }};
  const auto evaluation = evaluator_of(run, config, watch).evaluate(run.trainer->relic());
  ASSERT_TRUE(evaluation.held_out);
  EXPECT_EQ(evaluation.held_out->linear.total, 3);
  EXPECT_EQ(evaluation.held_out->neighbours.total, 3);
  EXPECT_THAT(told, ::testing::Contains("training images, 0 of 29"));
  EXPECT_THAT(told, ::testing::Contains("held-out images, 0 of 3"));
  EXPECT_THAT(evaluation_text(evaluation).at(0), HasSubstr("3 held-out images: nearest neighbours"));
}

TEST(Evaluation, TheHeldOutTenthIsApartFromTheRestAndFollowsFromTheSeed) {
  TemporaryFolder folder;
  auto config = testing::small_config(folder / "run");
  const TrainingRun run(config, kImages);
  const auto evaluator = evaluator_of(run, config);
  auto all = evaluator.fitted();
  all.insert(all.end(), evaluator.held_out().begin(), evaluator.held_out().end());
  std::ranges::sort(all);
  std::vector<std::int64_t> expected(kImages);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(all, expected);
  EXPECT_EQ(evaluator_of(run, config).held_out(), evaluator.held_out());
  config.seed = 43;
  EXPECT_NE(evaluator_of(run, config).held_out(), evaluator.held_out());
}

TEST(Evaluation, ComesEveryFiveTimesLogEveryNStepsByDefaultAndAtTheEndAloneWithZero) {
  TemporaryFolder folder;
  for (const std::int64_t every : {-1, 0}) {
    auto config = testing::small_config(folder / std::to_string(every));
    config.max_steps = 6;
    config.log_every_n_steps = 1;
    config.eval_every_n_steps = every;
    TrainingRun run(config, kImages);
    const auto evaluator = evaluator_of(run, config);
    run.trainer->evaluate_with(evaluator);
    run.trainer->run(testing::never);
    std::vector<std::string> evaluated;
    const auto table = table_of(run.directory);
    for (std::size_t row = 1; row < table.size(); ++row) {
      if (!cell(table, row, "uniformity").empty()) evaluated.push_back(cell(table, row, "step"));
    }
    EXPECT_EQ(evaluated, every == 0 ? std::vector<std::string>{"6"} : (std::vector<std::string>{"5", "6"}));
  }
}

TEST(Evaluation, WithoutLabelsOnlyTheSignsOfCollapseAreTold) {
  TemporaryFolder folder;
  auto config = testing::small_config(folder / "run");
  config.max_steps = 1;
  TrainingRun run(config, kImages);
  const Evaluator evaluator(config, choose_runtime(config), run.dataset, nullptr, {});
  run.trainer->evaluate_with(evaluator);
  run.trainer->run(testing::never);
  const auto table = table_of(run.directory);
  ASSERT_EQ(table.size(), 3U);
  EXPECT_EQ(cell(table, 2, "held_out_linear"), "");
  EXPECT_NE(cell(table, 2, "projection_deviation"), "");
  EXPECT_FALSE(std::filesystem::exists(run.directory.best_encoder()));
}

TEST(Evaluation, TheBestEncoderIsThatOfTheBestRowOfTheTable) {
  TemporaryFolder folder;
  auto config = testing::small_config(folder / "run");
  config.eval_every_n_steps = 1;
  config.num_epochs = 1;
  TrainingRun run(config, kImages);
  const auto evaluator = evaluator_of(run, config);
  run.trainer->evaluate_with(evaluator);
  std::vector<StateDict> encoders;
  run.trainer->run([&] {
    StateDict copy;
    for (const auto& [name, tensor] : state_dict(run.trainer->relic().target().encoder())) {
      copy.emplace_back(name, tensor.clone());
    }
    encoders.push_back(std::move(copy));
    return false;
  });
  const auto table = table_of(run.directory);
  double best = -1;
  std::size_t best_step = 0;
  for (std::size_t row = 1; row < table.size(); ++row) {
    const auto text = cell(table, row, "held_out_linear");
    if (!text.empty() && std::stod(text) > best) {
      best = std::stod(text);
      best_step = std::stoul(cell(table, row, "step"));
    }
  }
  ASSERT_GT(best_step, 0U);
  testing::expect_equal(read_state_dict(run.directory.best_encoder()), encoders.at(best_step - 1));
  const auto progress = read_checkpoint(run.directory.checkpoint()).progress;
  EXPECT_EQ(progress.best_step, static_cast<std::int64_t>(best_step));
  EXPECT_NEAR(progress.best_score, best, 1e-12);
}

TEST(Evaluation, ABestEncoderThatCannotBeWrittenIsInTheCheckpointAllTheSame) {
  TemporaryFolder folder;
  auto config = testing::small_config(folder / "run");
  config.max_steps = 1;
  TrainingRun run(config, kImages);
  run.log.open_file(folder / "log");
  const auto evaluator = evaluator_of(run, config);
  run.trainer->evaluate_with(evaluator);
  std::filesystem::create_directories(run.directory.best_encoder() / "in the way");
  EXPECT_EQ(run.trainer->run(testing::never), Trainer::Outcome::finished);
  EXPECT_THAT(run.trainer->not_derived(),
              HasSubstr("cannot replace " + run.directory.best_encoder().string() + ": Is a directory"));
  EXPECT_THAT(read_file(folder / "log"), HasSubstr("the checkpoint is saved, but cannot replace "));
  const auto checkpoint = read_checkpoint(run.directory.checkpoint());
  EXPECT_EQ(checkpoint.progress.evaluated_step, 1);
  EXPECT_EQ(checkpoint.progress.best_step, 1);
  testing::expect_equal(checkpoint.best_encoder, state_dict(run.trainer->relic().target().encoder()));
}

TEST(Evaluation, OneThatIsInterruptedIsMadeUpAndTheTableEndsTheSame) {
  TemporaryFolder folder;
  auto config = testing::small_config(folder / "whole");
  config.max_steps = 4;
  config.eval_every_n_steps = 2;
  TrainingRun whole(config, kImages);
  const auto evaluator = evaluator_of(whole, config);
  whole.trainer->evaluate_with(evaluator);
  whole.trainer->run(testing::never);

  config.save_model_dir = folder / "parts";
  {
    TrainingRun first(config, kImages);
    const auto stopping = evaluator_of(first, config, {.stop = [] { return true; }});
    first.trainer->evaluate_with(stopping);
    EXPECT_EQ(first.trainer->run(testing::never), Trainer::Outcome::interrupted);
    EXPECT_EQ(first.trainer->steps_done(), 2);
  }
  TrainingRun second(config, kImages);
  second.trainer->resume(read_checkpoint(second.directory.checkpoint()));
  const auto again = evaluator_of(second, config);
  second.trainer->evaluate_with(again);
  EXPECT_EQ(second.trainer->run(testing::never), Trainer::Outcome::finished);

  auto a = table_of(whole.directory);
  auto b = table_of(second.directory);
  ASSERT_EQ(a.size(), b.size());
  const auto rate = static_cast<std::size_t>(std::ranges::find(a[0], "images_per_second") - a[0].begin());
  for (std::size_t row = 1; row < a.size(); ++row) {
    a[row][rate] = b[row][rate] = "";
    EXPECT_EQ(a[row], b[row]);
  }
  EXPECT_EQ(read_file(whole.directory.best_encoder()), read_file(second.directory.best_encoder()));
}

TEST(Evaluation, CollapseIsWarnedOf) {
  const Spread fine{.deviation = 0.5, .effective_rank = 20, .dimensions = 64};
  const Spread point{.deviation = 0.05, .effective_rank = 20, .dimensions = 64};
  const Spread line{.deviation = 0.5, .effective_rank = 1.5, .dimensions = 64};
  EXPECT_EQ(collapse_warning({.features = fine, .projections = fine}), "");
  EXPECT_THAT(collapse_warning({.features = fine, .projections = point}),
              HasSubstr("projections of different images hardly differ (spread 0.050, rank 20.0 of 64)"));
  EXPECT_THAT(collapse_warning({.features = line, .projections = fine}),
              HasSubstr("features of different images hardly differ"));
}

}  // namespace
}  // namespace relic
