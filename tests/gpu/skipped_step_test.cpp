// Steps that are not finite, on a GPU.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cstdint>
#include <limits>

#include "relic/train/options.h"
#include "relic/train/snapshot.h"
#include "support/temporary_folder.h"
#include "train/graphed_step.h"
#include "train/online_update.h"
#include "train/own_stream.h"
#include "train/training_run.h"

namespace relic {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A training's pieces, its step replayed as one graph.
class Replayed {
 public:
  explicit Replayed(const TrainConfig& config)
      : config_(config),
        runtime_(choose_runtime(config)),
        stream_(runtime_.device),
        relic_(initial_relic(config, runtime_.device)),
        online_(config_, runtime_, *relic_, [](const std::string&) {}),
        graph_([this](const Views& views) { return online_.run(views, nullptr); }) {
    relic_->train();
    constexpr int kUntilNothingOverflows = 16;  // and the graph is recorded
    for (int i = 0; i < kUntilNothingOverflows; ++i) step(views());
  }

  [[nodiscard]] Views views() const {
    const auto spec = view_options(config_);
    const auto type = torch::TensorOptions(runtime_.device).dtype(runtime_.autocast.value_or(torch::kFloat));
    const auto some = [&](int count, int size) {
      return torch::rand({count * config_.batch_size, 3, size, size}, runtime_.device)
          .to(type)
          .contiguous(torch::MemoryFormat::ChannelsLast);
    };
    return {some(spec.global_count, spec.global.size), some(spec.local_count, spec.local.size), {}};
  }
  void step(const Views& views) {
    graph_.run(views);
    relic_->update_target(0.9, online_.found_inf());
  }
  [[nodiscard]] bool skipped() const { return online_.found_inf().item<float>() == 1; }
  Checkpoint state() { return take_checkpoint(*relic_, online_.adam(), online_.scaler()); }

 private:
  TrainConfig config_;
  Runtime runtime_;
  OwnStream stream_;
  std::unique_ptr<Relic> relic_;
  OnlineUpdate online_;
  GraphedStep graph_;
};

/// How many tensors are not what they were.
int moved(const StateDict& now, const StateDict& before) {
  int count = 0;
  for (std::size_t i = 0; i < now.size(); ++i) count += now[i].second.equal(before[i].second) ? 0 : 1;
  return count;
}

TEST(GpuSkippedStep, ReplayedChangesNeitherWeightsNorTargetNorStatistics) {
  for (const char* precision : {"fp32", "bf16", "fp16"}) {
    testing::TemporaryFolder folder;
    auto config = testing::small_config(folder / "run");
    config.batch_size = 16;
    config.device = "cuda";
    config.precision = precision;
    config.cuda_graph = "on";
    Replayed training(config);
    ASSERT_FALSE(training.skipped()) << precision;
    const auto before = training.state();
    for (const bool of_global : {true, false}) {
      auto views = training.views();
      (of_global ? views.global : views.local)[3][1][2][2].fill_(kInfinity);
      training.step(views);
      EXPECT_TRUE(training.skipped()) << precision;
    }
    const auto after = training.state();
    testing::expect_equal(after.model, before.model);
    testing::expect_equal(after.first_moments, before.first_moments);
    testing::expect_equal(after.second_moments, before.second_moments);
    testing::expect_equal(after.optimizer_steps, before.optimizer_steps);
    if (std::string(precision) == "fp16") {
      EXPECT_EQ(after.scaler.at(0).second.item<float>(), before.scaler.at(0).second.item<float>() / 4);
    }
    training.step(training.views());
    EXPECT_FALSE(training.skipped()) << precision;
    EXPECT_GT(moved(training.state().model, before.model), static_cast<int>(before.model.size() * 9 / 10)) << precision;
  }
}

}  // namespace
}  // namespace relic
