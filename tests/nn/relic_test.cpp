#include "relic/nn/relic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "support/fill.h"

namespace relic {
namespace {

using testing::clone;
using testing::convert_channels_last;
using testing::convert_floating;
using testing::uniform;

/// Moves every online tensor, counters included, as training would.
void move_online(Relic& relic, std::uint64_t stream) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : state_dict(relic.online())) {
    if (tensor.is_floating_point()) {
      tensor.add_(uniform(stream++, tensor.sizes()), 0.5);
    } else {
      tensor.add_(5);
    }
  }
}

TEST(Relic, HasTheOriginalsNamesOrderShapesAndTypes) {
  const auto expected = testing::read_fixture("relic_model_keys.json");
  const Relic relic(RelicOptions{});
  const auto tensors = state_dict(relic);
  ASSERT_EQ(tensors.size(), expected.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].first, expected[i][0].get<std::string>()) << "entry " << i;
    EXPECT_EQ(tensors[i].second.sizes().vec(), expected[i][1].get<std::vector<std::int64_t>>()) << tensors[i].first;
    EXPECT_EQ(tensors[i].second.scalar_type(), expected[i][2] == "int64" ? torch::kLong : torch::kFloat)
        << tensors[i].first;
  }
}

TEST(Relic, StartsFromTheOriginalsTemperatureAndBias) {
  const Relic relic(RelicOptions{});
  EXPECT_EQ(relic.log_temperature.item<float>(), 0);
  EXPECT_EQ(relic.bias.item<float>(), 0);
  const Relic siglip(RelicOptions{.siglip = true});
  EXPECT_FLOAT_EQ(siglip.log_temperature.item<float>(), static_cast<float>(std::log(10.0)));
  EXPECT_EQ(siglip.bias.item<float>(), -10);
}

TEST(Relic, TargetStartsAsACopyThatIsNotTrained) {
  Relic relic(RelicOptions{});
  const auto online = state_dict(relic.online());
  const auto target = state_dict(relic.target());
  ASSERT_EQ(online.size(), target.size());
  for (std::size_t i = 0; i < online.size(); ++i) {
    EXPECT_TRUE(online[i].second.equal(target[i].second)) << online[i].first;
    EXPECT_NE(online[i].second.data_ptr(), target[i].second.data_ptr()) << online[i].first;
    EXPECT_FALSE(target[i].second.requires_grad()) << online[i].first;
  }
  for (const auto& parameter : relic.online().parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
  }
}

TEST(Relic, IsAFunctionOfTheSeed) {
  torch::manual_seed(42);
  const Relic first(RelicOptions{});
  torch::manual_seed(42);
  const Relic second(RelicOptions{});
  const auto a = state_dict(first);
  const auto b = state_dict(second);
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(a[i].second.equal(b[i].second)) << a[i].first;
  }
}

TEST(Relic, TrainsTheOnlineParametersInOrderThenTemperatureAndBias) {
  Relic relic(RelicOptions{});
  const auto trained = relic.trained_parameters();
  std::vector<torch::Tensor> expected;
  for (const auto& [name, tensor] : state_dict(relic)) {
    if (name.starts_with("online_encoder.") && tensor.requires_grad()) {
      expected.push_back(tensor);
    }
  }
  ASSERT_EQ(trained.size(), expected.size() + 2);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(trained[i].is_same(expected[i])) << i;
  }
  EXPECT_TRUE(trained[expected.size()].is_same(relic.log_temperature));
  EXPECT_TRUE(trained.back().is_same(relic.bias));
}

TEST(Relic, ProjectsWithTheSizesAskedFor) {
  Relic relic(RelicOptions{.projector_hidden_dim = 20, .projector_out_dim = 6});
  EXPECT_EQ(relic.online().forward(uniform(1, {4, 3, 32, 32})).sizes().vec(), (std::vector<std::int64_t>{4, 6}));
  EXPECT_EQ(relic.target().forward(uniform(1, {4, 3, 13, 13})).sizes().vec(), (std::vector<std::int64_t>{4, 6}));
}

TEST(Projector, StartsAsTorchsLinearDoes) {
  torch::manual_seed(8);
  const Projector projector(512, 512, 64);
  for (const auto& weight : projector->parameters()) {
    const double bound = 1 / std::sqrt(static_cast<double>(weight.size(1)));
    const auto n = static_cast<double>(weight.numel());
    EXPECT_LE(weight.abs().max().item<double>(), bound);
    EXPECT_GT(weight.abs().max().item<double>(), 0.999 * bound);
    const double deviation = bound / std::sqrt(3.0);
    EXPECT_NEAR(weight.std().item<double>(), deviation, 4 * deviation * std::sqrt(0.2 / n));
  }
}

/// target ← decay·target + (1 − decay)·online, one tensor after the other, in float64.
double largest_difference_from_lerp(const StateDict& online, const StateDict& before, const StateDict& after,
                                    double decay) {
  double largest = 0;
  for (std::size_t i = 0; i < online.size(); ++i) {
    if (!after[i].second.is_floating_point()) {
      EXPECT_TRUE(after[i].second.equal(before[i].second)) << after[i].first;
      continue;
    }
    const auto expected =
        decay * before[i].second.to(torch::kDouble) + (1 - decay) * online[i].second.detach().to(torch::kDouble);
    const auto difference = (after[i].second.to(torch::kDouble) - expected).abs().max() / expected.abs().max();
    largest = std::max(largest, difference.item<double>());
  }
  return largest;
}

TEST(UpdateTarget, MovesParametersAndRunningStatisticsAndLeavesCounters) {
  Relic relic(RelicOptions{});
  for (const double decay : {0.99, 0.5, 0.25, 1.0}) {
    move_online(relic, 100);
    const auto online = clone(state_dict(relic.online()));
    const auto before = clone(state_dict(relic.target()));
    relic.update_target(decay);
    const double difference = largest_difference_from_lerp(online, before, clone(state_dict(relic.target())), decay);
    EXPECT_LT(difference, 5e-7) << decay;
    std::cout << "  decay " << decay << ": differs by " << difference << " of the largest\n";
    for (std::size_t i = 0; i < online.size(); ++i) {
      EXPECT_TRUE(state_dict(relic.online())[i].second.equal(online[i].second)) << online[i].first;
    }
    if (decay < 1) {
      EXPECT_FALSE(state_dict(relic.target())[3].second.equal(before[3].second)) << before[3].first << " stood still";
    }
  }
}

TEST(UpdateTarget, ASkippedStepLeavesItAndAnyOtherMovesItAsFar) {
  Relic relic(RelicOptions{});
  move_online(relic, 400);
  const auto online = clone(state_dict(relic.online()));
  const auto before = clone(state_dict(relic.target()));
  relic.update_target(0.99, torch::ones({}));
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(state_dict(relic.target())[i].second.equal(before[i].second)) << before[i].first;
  }
  relic.update_target(0.99, torch::zeros({}));
  EXPECT_LT(largest_difference_from_lerp(online, before, clone(state_dict(relic.target())), 0.99), 5e-7);
}

TEST(UpdateTarget, DecayZeroCopiesCountersToo) {
  Relic relic(RelicOptions{});
  move_online(relic, 200);
  relic.update_target(0);
  const auto online = state_dict(relic.online());
  const auto target = state_dict(relic.target());
  for (std::size_t i = 0; i < online.size(); ++i) {
    EXPECT_TRUE(online[i].second.equal(target[i].second)) << online[i].first;
    EXPECT_NE(online[i].second.data_ptr(), target[i].second.data_ptr()) << online[i].first;
  }
}

TEST(UpdateTarget, FollowsTheNetworksIntoChannelsLastAndFloat64) {
  Relic relic(RelicOptions{});
  convert_channels_last(relic);
  convert_floating(relic, torch::kDouble);
  move_online(relic, 300);
  const auto online = clone(state_dict(relic.online()));
  const auto before = clone(state_dict(relic.target()));
  relic.update_target(0.99);
  EXPECT_LT(largest_difference_from_lerp(online, before, clone(state_dict(relic.target())), 0.99), 1e-15);
  for (const auto& [name, tensor] : state_dict(relic.target())) {
    EXPECT_TRUE(tensor.dim() != 4 || tensor.is_contiguous(at::MemoryFormat::ChannelsLast)) << name;
  }
}

}  // namespace
}  // namespace relic
