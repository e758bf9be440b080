// Trainings on a GPU against those of the CPU, and against one another.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "relic/core/file.h"
#include "support/temporary_folder.h"
#include "train/graphed_step.h"
#include "train/own_stream.h"
#include "train/training_run.h"

namespace relic {
namespace {

using testing::lines_of;
using testing::never;
using testing::TemporaryFolder;
using testing::TrainingRun;

TrainConfig config_of(const std::filesystem::path& folder) {
  auto config = testing::small_config(folder);
  config.batch_size = 16;
  config.num_epochs = 4;
  config.device = "cuda";
  config.tf32 = "off";
  return config;
}

constexpr std::size_t kImages = 50;  // three steps an epoch

struct Row {
  double loss = 0;
};

std::vector<Row> rows_of(const RunDirectory& run) {
  std::vector<Row> rows;
  for (const auto& line : lines_of(run.metrics())) {
    std::vector<std::string> cells;
    std::istringstream text(line);
    for (std::string cell; std::getline(text, cell, ',');) cells.push_back(cell);
    if (cells.at(0) != "step" && !cells.at(2).empty()) {
      rows.push_back({std::strtod(cells.at(2).c_str(), nullptr)});
    }
  }
  return rows;
}

std::vector<Row> train(const TrainConfig& config) {
  TrainingRun run(config, kImages);
  EXPECT_EQ(run.trainer->run(never), Trainer::Outcome::finished);
  return rows_of(run.directory);
}

void expect_near(const std::vector<Row>& got, const std::vector<Row>& expected, double relative) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(got[i].loss - expected[i].loss) / std::abs(expected[i].loss);
    largest = std::max(largest, difference);
    EXPECT_LT(difference, relative) << "step " << i + 1;
  }
  std::printf("  losses of %zu steps differ by at most %.2g\n", got.size(), largest);
}

/// The online network's, trained, as one vector.
torch::Tensor weights_of(const TrainConfig& config) {
  std::vector<torch::Tensor> all;
  for (const auto& [name, tensor] : read_checkpoint(RunDirectory(config.save_model_dir).checkpoint()).model) {
    if (name.starts_with("online_encoder.") && name.ends_with(".weight")) {
      all.push_back(tensor.to(torch::kDouble).flatten());
    }
  }
  return torch::cat(all);
}

TEST(GpuTraining, FollowsTheCpus) {
  TemporaryFolder folder;
  auto config = config_of(folder / "gpu");
  const auto on_gpu = train(config);
  const auto weights = weights_of(config);
  config.save_model_dir = folder / "untrained";
  TrainingRun(config, kImages).trainer->save_start();
  const auto start = weights_of(config);
  config.device = "cpu";
  config.save_model_dir = folder / "cpu";
  expect_near(on_gpu, train(config), 2e-3);
  const auto expected = weights_of(config);
  const auto apart = ((weights - expected).norm() / (expected - start).norm()).item<double>();
  std::printf("  the weights end %.2g of their way apart\n", apart);
  EXPECT_LT(apart, 0.25);  // an H200: 0.11; 1 would be those of no training, 1.4 of another one
}

TEST(GpuTraining, IsTheSameAsOneGraphAndStepByStep) {
  for (const char* precision : {"fp32", "bf16", "fp16"}) {
    TemporaryFolder folder;
    auto config = config_of(folder / "graph");
    config.precision = precision;
    config.cuda_graph = "on";
    const auto graph = train(config);
    config.save_model_dir = folder / "steps";
    config.cuda_graph = "off";
    expect_near(graph, train(config), 1e-3);
  }
}

TEST(GpuTraining, OfViewsThatAreSentIsTheSameAsOneGraphAndStepByStep) {
  std::vector<std::pair<int, int>> sizes;
  for (int i = 0; i < static_cast<int>(kImages); ++i) sizes.emplace_back(20 + i, 60 - i / 2);  // which no GPU holds
  for (const char* precision : {"fp32", "fp16"}) {
    TemporaryFolder folder;
    auto config = config_of(folder / "graph");
    config.precision = precision;
    config.num_workers = 4;
    const auto train_on_them = [&](const char* graph) {
      config.save_model_dir = folder / graph;
      config.cuda_graph = graph;
      TrainingRun run(config, testing::HashedImages(sizes));
      EXPECT_EQ(run.trainer->run(never), Trainer::Outcome::finished);
      return rows_of(run.directory);
    };
    expect_near(train_on_them("on"), train_on_them("off"), 1e-3);
  }
}

TEST(GpuTraining, WithStatisticsPerViewFollowsTheCpus) {
  TemporaryFolder folder;
  auto config = config_of(folder / "gpu");
  config.bn_per_view = true;
  config.num_local_views = 3;
  config.max_steps = 6;
  const auto on_gpu = train(config);
  for (const auto& [name, tensor] : read_checkpoint(RunDirectory(folder / "gpu").checkpoint()).model) {
    if (name.starts_with("online_encoder.") && name.ends_with(".num_batches_tracked")) {
      EXPECT_EQ(tensor.item<std::int64_t>(), 6 * (2 + 3)) << name;
    }
  }
  config.device = "cpu";
  config.save_model_dir = folder / "cpu";
  expect_near(on_gpu, train(config), 2e-3);
}

/// Stochastic depth drops the same blocks in both.
TEST(GpuTraining, IsTheSameAsOneGraphWhereBlocksAreDropped) {
  TemporaryFolder folder;
  auto config = config_of(folder / "graph");
  config.encoder_model_name = "efficientnet";
  config.cuda_graph = "on";
  config.max_steps = 6;
  const auto graph = train(config);
  config.save_model_dir = folder / "steps";
  config.cuda_graph = "off";
  expect_near(graph, train(config), 5e-3);
}

TEST(GraphedStep, DrawsWhatTheStepByItselfDraws) {
  const torch::Device gpu(torch::kCUDA, 0);
  const OwnStream stream(gpu);
  const auto draw = [&](const Views&) { return torch::rand({4}, gpu); };
  GraphedStep step(draw);
  const Views views{torch::ones({2, 3, 4, 4}, gpu), {}, {}};
  for (int i = 1; i <= 6; ++i) {
    torch::manual_seed(i);
    const auto drawn = step.run(views).cpu();
    torch::manual_seed(i);
    EXPECT_TRUE(torch::equal(drawn, draw(views).cpu())) << "step " << i;
  }
}

TEST(GpuTraining, RecordsEveryEncoderAndLoss) {
  for (const char* encoder : {"resnet50", "efficientnet"}) {
    for (const bool siglip : {false, true}) {
      TemporaryFolder folder;
      auto config = config_of(folder / "run");
      config.encoder_model_name = encoder;
      config.precision = "fp16";
      config.use_siglip = siglip;
      config.cuda_graph = "on";
      config.max_steps = 6;
      const auto rows = train(config);
      ASSERT_EQ(rows.size(), 6U);
      for (const auto& row : rows) EXPECT_TRUE(std::isfinite(row.loss));
    }
  }
}

TEST(GpuTraining, GoesOnWhereItStopped) {
  TemporaryFolder folder;
  auto config = config_of(folder / "whole");
  config.precision = "fp16";
  const auto whole = train(config);
  config.save_model_dir = folder / "parts";
  {
    TrainingRun first(config, kImages);
    int steps = 0;
    EXPECT_EQ(first.trainer->run([&] { return ++steps == 5; }), Trainer::Outcome::interrupted);
  }
  TrainingRun second(config, kImages);
  const auto middle = read_checkpoint(second.directory.checkpoint());
  EXPECT_EQ(middle.progress.step, 5);
  second.trainer->resume(middle);
  EXPECT_EQ(second.trainer->run(never), Trainer::Outcome::finished);
  expect_near(rows_of(second.directory), whole, 1e-3);
}

/// LibTorch's switches stay on in this process.
TEST(GpuDeterminism, EndsBitwiseTheSameInterruptedOrNot) {
  compute_deterministically();
  for (const auto& [precision, stem] :
       std::vector<std::pair<std::string, std::string>>{{"fp32", "cifar"}, {"fp16", "cifar"}, {"fp16", "imagenet"}}) {
    TemporaryFolder folder;
    auto config = config_of(folder / "whole");
    config.precision = precision;
    config.stem = stem;
    config.deterministic = true;
    TrainingRun whole(config, kImages);
    whole.trainer->run(never);
    config.save_model_dir = folder / "parts";
    {
      TrainingRun first(config, kImages);
      int steps = 0;
      first.trainer->run([&] { return ++steps == 5; });
    }
    TrainingRun second(config, kImages);
    second.trainer->resume(read_checkpoint(second.directory.checkpoint()));
    second.trainer->run(never);
    testing::expect_equal(read_checkpoint(whole.directory.checkpoint()),
                          read_checkpoint(second.directory.checkpoint()));
  }
}

TEST(GpuTraining, ASkippedStepLeavesTheTargetAndAnyOtherMovesItAsFar) {
  const torch::Device gpu(torch::kCUDA, 0);
  Relic relic(RelicOptions{});
  relic.to(gpu);
  const auto targets = [&] { return relic.target().parameters(); };
  const auto copy = [](const std::vector<torch::Tensor>& tensors) {
    std::vector<torch::Tensor> copies;
    for (const auto& tensor : tensors) copies.push_back(tensor.clone());
    return copies;
  };
  {
    const torch::NoGradGuard no_grad;
    for (auto& weight : relic.online().parameters()) weight.add_(torch::randn_like(weight));
  }
  const auto before = copy(targets());
  const auto online = copy(relic.online().parameters());
  relic.update_target(0.9, torch::ones({}, gpu));
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_TRUE(torch::equal(targets()[i], before[i]));
  relic.update_target(0.9, torch::zeros({}, gpu));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(torch::allclose(targets()[i], torch::lerp(before[i], online[i], 0.1), 1e-5, 1e-6));
  }
}

TEST(GpuTraining, UnderCompatFollowsTheCpus) {
  TemporaryFolder folder;
  auto config = config_of(folder / "gpu");
  config.compat = "0.4.1";
  config.num_local_views = 3;
  config.max_steps = 6;
  const auto on_gpu = train(config);
  config.device = "cpu";
  config.save_model_dir = folder / "cpu";
  expect_near(on_gpu, train(config), 2e-3);
}

TEST(GraphedStep, GoesOnUnrecordedWhereAStepWaitsForTheGpu) {
  const torch::Device gpu(torch::kCUDA, 0);
  const OwnStream stream(gpu);
  const auto waits = [](const Views& views) {
    const auto sum = views.global.sum() + torch::rand({}, views.global.options()).floor();
    EXPECT_GE(sum.item<float>(), 0);
    return sum;
  };
  std::string reason;
  GraphedStep step(waits, [&](const std::string& why) { reason = why; });
  GraphedStep required(waits);
  for (int i = 1; i <= 6; ++i) {
    const Views views{torch::full({2, 3, 4, 4}, i, gpu).to(torch::kFloat), {}, {}};
    EXPECT_EQ(step.run(views).item<float>(), 96 * i);
    EXPECT_EQ(reason.empty(), i < 4);
  }
  const Views views{torch::ones({2, 3, 4, 4}, gpu), {}, {}};
  for (int i = 1; i <= 3; ++i) required.run(views);
  EXPECT_THAT(testing::message_of<Error>([&] { required.run(views); }),
              ::testing::HasSubstr("--cuda_graph on: a step cannot be recorded"));
}

TEST(GpuTraining, ALossThatIsNotFiniteStopsItAndKeepsTheLastCheckpoint) {
  TemporaryFolder folder;
  auto config = config_of(folder / "run");
  config.max_steps = 2;
  train(config);
  const auto before = read_file(RunDirectory(folder / "run").checkpoint());
  config.max_steps = 0;
  config.learning_rate = 1e39;
  TrainingRun bad(config, kImages);
  bad.trainer->resume(read_checkpoint(bad.directory.checkpoint()));
  EXPECT_THAT(testing::message_of<Error>([&] { bad.trainer->run(never); }),
              ::testing::HasSubstr("step 4: the loss is not finite: loss "));
  EXPECT_EQ(read_file(bad.directory.checkpoint()), before);
}

}  // namespace
}  // namespace relic
