// What a training does about numbers that are not finite.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/data/sample_order.h"
#include "relic/nn/state_dict.h"
#include "support/fill.h"
#include "support/temporary_folder.h"
#include "train/running_statistics.h"
#include "train/training_run.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::clone;
using testing::expect_equal;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::message_of;
using testing::never;
using ::testing::Not;
using testing::small_config;
using testing::TemporaryFolder;
using testing::TrainingRun;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

torch::Tensor parameter(TrainingRun& run, const std::string& name) {
  return run.trainer->relic().named_parameters()[name];
}

/// With the gradient scaler of a float16 training, over numbers that a CPU is quick with.
struct ScaledRun : TrainingRun {
  explicit ScaledRun(const TrainConfig& config) : TrainingRun(config) {
    Runtime runtime = choose_runtime(config);
    runtime.scales_loss = true;
    trainer = std::make_unique<Trainer>(config, runtime, dataset, directory, log);
  }
  /// Goes on from the run's checkpoint with another scale.
  void resume_with_scale(double scale) {
    auto checkpoint = read_checkpoint(directory.checkpoint());
    checkpoint.scaler[0].second.fill_(scale);
    trainer->resume(checkpoint);
  }
};

TEST(NotFinite, InFloat32ItStopsAndListsTheBatch) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.learning_rate = 1e39;  // weights of infinity after the first step
  TrainingRun run(config);
  const auto message = message_of<Error>([&] { run.trainer->run(never); });
  EXPECT_THAT(message, AllOf(HasSubstr("step 2: the loss is not finite: loss"), HasSubstr("learning rate 1e+39"),
                             HasSubstr("its images are listed in " + run.directory.not_finite().string()),
                             HasSubstr("nothing is saved yet")));
  const auto lines = lines_of(run.directory.not_finite());
  ASSERT_EQ(lines.size(), 3U + 4U);
  EXPECT_THAT(lines[0], HasSubstr("# step 2 (epoch 1): the loss is not finite"));
  EXPECT_EQ(lines[2], "index,class,name");
  SampleOrder order(12, 4, config.seed);
  const auto batch = order.batch(1);
  for (std::size_t i = 0; i < batch.size(); ++i) {
    EXPECT_THAT(lines[3 + i], ::testing::StartsWith(std::to_string(batch[i]) + ","));
  }
}

TEST(NotFinite, AGradientThatIsNotFiniteChangesNothingAndStops) {
  TemporaryFolder folder;
  const auto config = small_config(folder / "run");
  TrainingRun run(config);
  const auto before = state_dict(run.trainer->relic());
  const auto copies = clone(before);
  parameter(run, "online_encoder.1.block.0.weight").register_hook([](const torch::Tensor& gradient) {
    return gradient * kNan;
  });
  EXPECT_THAT(message_of<Error>([&] { run.trainer->run(never); }),
              HasSubstr("step 1: a gradient is not finite: loss "));
  for (std::size_t i = 0; i < copies.size(); ++i) {
    EXPECT_TRUE(torch::equal(before[i].second, copies[i].second)) << copies[i].first;
  }
}

TEST(NotFinite, AStepThatIsNotFiniteMovesNeitherTargetNorRunningStatistics) {
  TemporaryFolder folder;
  auto config = small_config(folder / "three steps");
  config.max_steps = 3;  // the target is no copy any more
  TrainingRun three(config);
  three.trainer->run(never);
  config.save_model_dir = folder / "and a bad one";
  config.max_steps = 0;
  TrainingRun four(config);
  int step = 0;
  parameter(four, "online_encoder.1.block.0.weight").register_hook([&step](const torch::Tensor& gradient) {
    return ++step == 4 ? gradient * kNan : gradient;
  });
  EXPECT_THAT(message_of<Error>([&] { four.trainer->run(never); }), HasSubstr("step 4: a gradient is not finite"));
  const auto expected = state_dict(three.trainer->relic());
  const auto found = state_dict(four.trainer->relic());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(torch::equal(found[i].second, expected[i].second)) << expected[i].first;
  }
  EXPECT_FALSE(
      torch::equal(parameter(three, "target_encoder.0.0.weight"), parameter(three, "online_encoder.0.0.weight")));
}

TEST(NotFinite, DetectAnomalyNamesTheFirstLayer) {
  for (const char* name : {"online_encoder.0.0.weight", "online_encoder.0.5.0.bn1.weight",
                           "online_encoder.1.block.0.weight", "target_encoder.0.7.1.conv2.weight"}) {
    TemporaryFolder folder;
    auto config = small_config(folder / "run");
    config.detect_anomaly = true;
    TrainingRun run(config);
    {
      const torch::NoGradGuard no_grad;
      parameter(run, name)[0].fill_(kNan);
    }
    const std::string layer = std::string(name).substr(0, std::string(name).rfind('.'));
    EXPECT_THAT(
        message_of<Error>([&] { run.trainer->run(never); }),
        AllOf(HasSubstr("step 1: " + layer + " gives values that are not finite"), HasSubstr("not_finite.txt")));
    EXPECT_EQ(lines_of(run.directory.not_finite()).size(), 7U);
  }
}

TEST(NotFinite, DetectAnomalyNamesTheGradientAndTheLoss) {
  TemporaryFolder folder;
  auto config = small_config(folder / "gradient");
  config.detect_anomaly = true;
  TrainingRun of_gradient(config);
  parameter(of_gradient, "online_encoder.0.6.0.conv1.weight").register_hook([](const torch::Tensor& gradient) {
    return gradient * kNan;
  });
  EXPECT_THAT(message_of<Error>([&] { of_gradient.trainer->run(never); }),
              HasSubstr("step 1: the gradient of online_encoder.0.6.0.conv1.weight is not finite, of a loss that is"));
  config.save_model_dir = folder / "loss";
  TrainingRun of_loss(config);
  of_loss.trainer->relic().bias.data().fill_(kNan);
  EXPECT_THAT(message_of<Error>([&] { of_loss.trainer->run(never); }),
              HasSubstr("step 1: the loss is not finite, of projections that are"));
}

TEST(NotFinite, DetectAnomalyChangesNoNumber) {
  TemporaryFolder folder;
  auto config = small_config(folder / "with");
  config.max_steps = 3;
  config.detect_anomaly = true;
  TrainingRun with(config);
  with.trainer->run(never);
  config.save_model_dir = folder / "without";
  config.detect_anomaly = false;
  TrainingRun without(config);
  without.trainer->run(never);
  expect_equal(read_checkpoint(with.directory.checkpoint()).model,
               read_checkpoint(without.directory.checkpoint()).model);
}

TEST(NotFinite, AnOverflowOfFloat16SkipsTheStepAndIsCounted) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.log_every_n_steps = 3;
  config.max_steps = 1;
  ScaledRun first(config);
  first.trainer->run(never);
  const auto start = read_checkpoint(first.directory.checkpoint());
  ASSERT_EQ(start.progress.skipped_steps, 0);

  // Times the loss, which is above 1.2, it is beyond float32.
  config.max_steps = 2;
  ScaledRun one(config);
  one.log.open_file(folder / "log");
  one.resume_with_scale(3e38);
  EXPECT_EQ(one.trainer->run(never), Trainer::Outcome::finished);
  const auto skipped = read_checkpoint(one.directory.checkpoint());
  EXPECT_EQ(skipped.progress.skipped_steps, 1);
  EXPECT_EQ(skipped.progress.skipped_in_a_row, 1);
  EXPECT_FLOAT_EQ(skipped.scaler[0].second.item<float>(), 1.5e38F);
  // Nothing has moved: neither network, nor the target towards the other, nor a counter.
  expect_equal(start.model, skipped.model);
  expect_equal(start.first_moments, skipped.first_moments);
  expect_equal(start.optimizer_steps, skipped.optimizer_steps);

  config.max_steps = 6;
  ScaledRun rest(config);
  rest.log.open_file(folder / "log");
  rest.resume_with_scale(65536);
  EXPECT_EQ(rest.trainer->run(never), Trainer::Outcome::finished);
  const auto end = read_checkpoint(rest.directory.checkpoint()).progress;
  EXPECT_EQ(end.skipped_steps, 1);
  EXPECT_EQ(end.skipped_in_a_row, 0);
  EXPECT_THAT(read_file(folder / "log"), AllOf(HasSubstr("step 2: float16 overflowed, so the step is skipped"),
                                               HasSubstr("skipped steps so far: 1")));
}

TEST(NotFinite, TenOverflowsInARowStop) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.num_epochs = 10;
  config.max_steps = 1;
  ScaledRun first(config);
  first.trainer->run(never);
  const auto before = read_file(first.directory.checkpoint());
  config.max_steps = 0;
  ScaledRun run(config);
  run.resume_with_scale(std::numeric_limits<double>::infinity());
  EXPECT_THAT(message_of<Error>([&] { run.trainer->run(never); }),
              AllOf(HasSubstr("step 11: float16 overflowed at 10 steps in a row"), HasSubstr("loss scale"),
                    HasSubstr("not_finite.txt"), HasSubstr("the last good state, step 1")));
  EXPECT_EQ(read_file(run.directory.checkpoint()), before);
}

TEST(NotFinite, ALossThatFloat16CannotHoldIsLeftOutOfTheMeans) {
  TemporaryFolder folder;
  auto config = small_config(folder / "run");
  config.max_steps = 1;
  ScaledRun first(config);
  first.trainer->run(never);
  config.max_steps = 3;
  ScaledRun run(config);
  run.log.open_file(folder / "log");
  run.trainer->resume(read_checkpoint(run.directory.checkpoint()));
  int steps = 0;
  auto& bias = run.trainer->relic().bias;  // of the logits
  const auto good = bias.detach().clone();
  bias.data().fill_(kNan);
  run.trainer->run([&] {
    if (++steps == 1) bias.data().copy_(good);
    return false;
  });
  const auto progress = read_checkpoint(run.directory.checkpoint()).progress;
  EXPECT_EQ(progress.skipped_steps, 1);
  EXPECT_EQ(progress.total_losses, 2);
  EXPECT_TRUE(std::isfinite(progress.total_loss_sum));
  EXPECT_TRUE(std::isfinite(progress.epoch_loss_sum));
  const auto rows = lines_of(run.directory.metrics());
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_THAT(rows[2], HasSubstr("nan"));
  EXPECT_THAT(rows[3], Not(HasSubstr("nan")));
  EXPECT_THAT(read_file(folder / "log"), AllOf(HasSubstr("epoch 1 of 2: mean loss "), Not(HasSubstr("mean loss nan"))));
}

TEST(NotFinite, AScaledRunResumesBitwise) {
  TemporaryFolder folder;
  auto config = small_config(folder / "whole");
  ScaledRun whole(config);
  whole.trainer->run(never);
  config.save_model_dir = folder / "parts";
  {
    ScaledRun first(config);
    int steps = 0;
    first.trainer->run([&] { return ++steps == 2; });
  }
  ScaledRun second(config);
  second.trainer->resume(read_checkpoint(second.directory.checkpoint()));
  second.trainer->run(never);
  const auto a = read_checkpoint(whole.directory.checkpoint());
  const auto b = read_checkpoint(second.directory.checkpoint());
  EXPECT_EQ(a.progress.step, 6);
  expect_equal(a, b);
  EXPECT_EQ(a.scaler[1].second.item<int>(), 6);  // good steps since the scale's last change
}

TEST(RunningStatistics, AreAsRememberedWhereAStepWasSkipped) {
  torch::nn::Sequential network(torch::nn::Conv2d(3, 4, 1), torch::nn::BatchNorm2d(4), torch::nn::BatchNorm2d(4));
  const auto before = state_dict(*network);
  const auto copies = clone(before);
  RunningStatistics statistics(*network);
  expect_equal(state_dict(*network), copies);

  statistics.remember();
  network->forward(torch::full({2, 3, 4, 4}, kNan));
  EXPECT_FALSE(torch::isfinite(network->buffers()[0]).all().item<bool>());
  statistics.restore_where(torch::ones({}));
  expect_equal(state_dict(*network), copies);

  statistics.remember();
  network->forward(torch::rand({2, 3, 4, 4}));
  const auto moved = network->buffers()[0].clone();
  statistics.restore_where(torch::zeros({}));
  EXPECT_TRUE(torch::equal(network->buffers()[0], moved));
  EXPECT_FALSE(torch::equal(moved, std::ranges::find(copies, "1.running_mean", &StateDict::value_type::first)->second));
}

}  // namespace
}  // namespace relic
