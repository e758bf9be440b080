#include "relic/train/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <limits>
#include <thread>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/formats/pth.h"
#include "relic/nn/state_dict.h"
#include "support/temporary_folder.h"
#include "train/training_run.h"

namespace relic {

namespace {

using ::testing::AllOf;
using testing::expect_equal;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::never;
using testing::small_config;
using testing::TemporaryFolder;
using testing::TrainingRun;

/// A row of metrics.csv without its images/s.
std::string without_rate(const std::string& row) { return row.substr(0, row.rfind(',')); }

}  // namespace

TEST(Trainer, ResumingEndsBitwiseWhereAnUninterruptedRunDoes) {
  struct Interruption {
    const char* precision;
    int after;
  };
  for (const auto [precision, after] : {Interruption{"fp32", 2}, {"fp32", 3}, {"bf16", 2}}) {  // an epoch has 3 steps
    TemporaryFolder folder;
    auto config = small_config(folder / "whole");
    config.precision = precision;
    TrainingRun whole(config);
    ASSERT_EQ(whole.trainer->last_step(), 6);
    EXPECT_EQ(whole.trainer->run(never), Trainer::Outcome::finished);

    config.save_model_dir = folder / "parts";
    config.num_workers = 2;
    {
      TrainingRun first(config);
      int steps = 0;
      EXPECT_EQ(first.trainer->run([&steps, end = after] { return ++steps == end; }), Trainer::Outcome::interrupted);
      EXPECT_EQ(first.trainer->steps_done(), after);
    }
    TrainingRun second(config);
    const auto middle = read_checkpoint(second.directory.checkpoint());
    EXPECT_EQ(middle.progress.step, after);
    second.trainer->resume(middle);
    EXPECT_EQ(second.trainer->run(never), Trainer::Outcome::finished);

    const auto a = read_checkpoint(whole.directory.checkpoint());
    const auto b = read_checkpoint(second.directory.checkpoint());
    expect_equal(a, b);

    const auto rows_a = lines_of(whole.directory.metrics());
    const auto rows_b = lines_of(second.directory.metrics());
    ASSERT_EQ(rows_a.size(), 7U);
    ASSERT_EQ(rows_b.size(), 7U);
    for (std::size_t i = 0; i < rows_a.size(); ++i) EXPECT_EQ(without_rate(rows_a[i]), without_rate(rows_b[i]));
  }
}

TEST(Trainer, ResumingCutsTheMetricsBackToTheCheckpointsStep) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 2;
  {
    TrainingRun first(config);
    first.trainer->run(never);
    AppendFile(first.directory.metrics()).append("3,1,a row that no checkpoint knows of\n");
  }
  TrainingRun second(config);
  second.trainer->resume(read_checkpoint(second.directory.checkpoint()));
  EXPECT_EQ(lines_of(second.directory.metrics()).size(), 3U);
}

TEST(Trainer, MaxStepsStopsEarlyAndChangesNoSchedule) {
  TemporaryFolder folder;
  auto config = small_config(folder / "all");
  TrainingRun all(config);
  all.trainer->run(never);
  config.save_model_dir = folder / "some";
  config.max_steps = 4;
  TrainingRun some(config);
  some.trainer->run(never);
  const auto rows_all = lines_of(all.directory.metrics());
  const auto rows_some = lines_of(some.directory.metrics());
  ASSERT_EQ(rows_some.size(), 5U);
  for (std::size_t i = 0; i < rows_some.size(); ++i) EXPECT_EQ(without_rate(rows_all[i]), without_rate(rows_some[i]));
}

TEST(Trainer, WritesTheOriginalsTwoFilesFromTheCheckpoint) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 3;
  TrainingRun run(config);
  run.trainer->run(never);
  const auto checkpoint = read_checkpoint(run.directory.checkpoint());
  const auto model = read_state_dict(run.directory.model());
  expect_equal(checkpoint.model, model);
  const auto encoder = read_state_dict(run.directory.encoder());
  ASSERT_EQ(encoder.size(), 120U);
  for (const auto& [name, tensor] : encoder) {
    const auto found = std::ranges::find(model, "target_encoder.0." + name, &StateDict::value_type::first);
    ASSERT_NE(found, model.end()) << name;
    EXPECT_TRUE(torch::equal(found->second, tensor));
  }
}

TEST(Trainer, ACheckpointOfAnotherOptimizerIsRefusedByName) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 1;
  TrainingRun run(config);
  run.trainer->run(never);
  auto checkpoint = read_checkpoint(run.directory.checkpoint());
  checkpoint.first_moments[2].first = "another";
  EXPECT_THAT(testing::message_of<Error>([&] { run.trainer->resume(checkpoint); }),
              AllOf(HasSubstr("run/checkpoint.pth: its optimizer state does not fit this model (at online_encoder.")));
}

TEST(Trainer, WeightsThatAreNotFiniteAreNoStart) {
  TemporaryFolder folder;
  TrainingRun run(small_config(folder / "run"));
  run.trainer->relic().bias.data().fill_(std::numeric_limits<float>::quiet_NaN());
  EXPECT_EQ(testing::message_of<Error>([&] { run.trainer->save_start(); }), "the weights to start from are not finite");
}

TEST(Trainer, DivergenceKeepsTheLastCheckpointAndItCanBeResumed) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 2;
  {
    TrainingRun good(config);
    good.trainer->run(never);
  }
  const auto before = read_file(RunDirectory(folder / "run").checkpoint());

  // The step after the resumed one meets weights of infinity; with a save after every step, the save meets them.
  for (const std::int64_t every : {400, 1}) {
    config.max_steps = 0;
    config.learning_rate = 1e39;
    config.log_every_n_steps = every;
    TrainingRun bad(config);
    bad.trainer->resume(read_checkpoint(bad.directory.checkpoint()));
    const auto message = testing::message_of<Error>([&] { bad.trainer->run(never); });
    if (every == 400) {
      EXPECT_THAT(message, AllOf(HasSubstr("step 4: the loss is not finite: loss "), HasSubstr("invariance"),
                                 HasSubstr("learning rate 1e+39")));
    } else {
      EXPECT_THAT(message, AllOf(HasSubstr("step 3: the weight "),
                                 HasSubstr(" is not finite after it, at learning rate 1e+39")));
    }
    EXPECT_TRUE(std::filesystem::exists(bad.directory.not_finite()));
    std::filesystem::remove(bad.directory.not_finite());
    EXPECT_THAT(message, AllOf(HasSubstr("step 2"), HasSubstr("--resume with a smaller -lr")));
    EXPECT_EQ(read_file(bad.directory.checkpoint()), before);
  }

  config.learning_rate = 1e-4;
  config.max_steps = 4;
  TrainingRun again(config);
  again.trainer->resume(read_checkpoint(again.directory.checkpoint()));
  EXPECT_EQ(again.trainer->run(never), Trainer::Outcome::finished);
}

TEST(Trainer, TheStartIsSavedSoThatARunCanBeResumedFromItsFirstMoment) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 2;
  TrainingRun run(config);
  write_file(run.directory.metrics(), "an older run's\n");
  run.trainer->save_start();
  const auto start = read_checkpoint(run.directory.checkpoint());
  EXPECT_EQ(start.progress.step, 0);
  EXPECT_EQ(start.progress.metrics_bytes, 0);
  EXPECT_EQ(start.dataset_path, std::filesystem::absolute(config.dataset_path).string());

  TrainingRun resumed(config);
  resumed.trainer->resume(start);
  EXPECT_EQ(read_file(resumed.directory.metrics()), "");
  resumed.trainer->run(never);
  config.save_model_dir = folder / "straight";
  TrainingRun straight(config);
  straight.trainer->run(never);
  expect_equal(read_checkpoint(resumed.directory.checkpoint()).model,
               read_checkpoint(straight.directory.checkpoint()).model);
}

TEST(Trainer, AStepSavesWhereTheLastSaveIsOld) {
  for (const double seconds : {0.0, 1e6}) {
    TemporaryFolder folder;
    auto config = small_config(folder / "run");
    config.save_every_seconds = seconds;
    TrainingRun run(config);
    std::int64_t saved = -1;
    const auto look = [&] {
      // Asked after step 2, before its save; that of step 1 is over once its thread has ended.
      for (int i = 0; i < 3000 && run.trainer->steps_done() == 2 && saved < 0; ++i) {
        std::error_code ignored;
        if (std::filesystem::exists(run.directory.encoder(), ignored)) {
          saved = read_checkpoint(run.directory.checkpoint()).progress.step;
        } else if (seconds > 0) {
          saved = 0;
        } else {
          std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
      }
      return false;
    };
    run.trainer->run(look);
    EXPECT_EQ(saved, seconds == 0.0 ? 1 : 0);
    EXPECT_EQ(run.directory.kept_steps().empty(), seconds > 0);  // of all its steps but the last
  }
}

TEST(Trainer, MetricsThatCannotBeWrittenDoNotEndTheTraining) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 2;
  TrainingRun run(config);
  run.log.open_file(folder / "log");
  ASSERT_EQ(::symlink("/dev/full", run.directory.metrics().c_str()), 0);
  EXPECT_EQ(run.trainer->run(never), Trainer::Outcome::finished);
  EXPECT_THAT(read_file(folder / "log"),
              AllOf(HasSubstr("rows are missing there from step 1"), ::testing::Not(HasSubstr("from step 2"))));
}

TEST(Trainer, CompatUsesOtherViewsAndStatisticsThanTheDefault) {
  TemporaryFolder folder;
  auto config = small_config(folder / "default");
  config.num_local_views = 3;
  config.max_steps = 1;
  TrainingRun by_default(config);
  by_default.trainer->run(never);
  config.save_model_dir = folder / "compat";
  config.compat = "0.4.1";
  TrainingRun compat(config);
  compat.trainer->run(never);
  EXPECT_NE(without_rate(lines_of(by_default.directory.metrics())[1]),
            without_rate(lines_of(compat.directory.metrics())[1]));
  // Statistics per view move the running ones once per view: two globals, and again among three locals.
  const auto moves = [](const TrainingRun& run) {
    for (const auto& [name, tensor] : read_state_dict(run.directory.model())) {
      if (name == "online_encoder.0.1.num_batches_tracked") return tensor.item<std::int64_t>();
    }
    return std::int64_t{-1};
  };
  EXPECT_EQ(moves(by_default), 2);
  EXPECT_EQ(moves(compat), 5);
}

}  // namespace relic
