#include "relic/nn/encoder.h"

#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "nn/efficientnet.h"
#include "nn/layers.h"
#include "relic/core/error.h"
#include "support/fill.h"

namespace relic {
namespace {

using nlohmann::json;
using testing::convert_channels_last;
using testing::convert_floating;
using testing::digest_difference;
using testing::fill;
using testing::read_fixture;
using testing::uniform;

/// Counts what torch warns about within its scope.
class WarningCounter : public c10::WarningHandler {
 public:
  WarningCounter() : guard_(this) {}
  void process(const c10::Warning& warning) override { messages.push_back(warning.msg()); }
  std::vector<std::string> messages;

 private:
  c10::WarningUtils::WarningHandlerGuard guard_;
};

std::string type_name(torch::ScalarType type) { return type == torch::kLong ? "int64" : "float32"; }

/// Every fixture entry: a filled encoder and its input.
class EncoderFixture : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    entry = read_fixture("encoders.json").at(static_cast<std::size_t>(GetParam()));
    encoder = make_encoder(entry.at("encoder"), entry.at("cifar_stem").get<bool>() ? Stem::cifar : Stem::imagenet);
    fill(*encoder);
    const auto size = entry.at("size").get<std::int64_t>();
    images = uniform(entry.at("input_stream").get<std::uint64_t>(), {2, 3, size, size});
  }

  json entry;
  std::shared_ptr<Encoder> encoder;
  torch::Tensor images;
};

TEST_P(EncoderFixture, HasTheOriginalsParametersNamesOrderShapesAndTypes) {
  EXPECT_EQ(encoder->feature_dim(), entry.at("feature_dim").get<std::int64_t>());
  std::int64_t parameters = 0;
  for (const auto& parameter : encoder->parameters()) {
    parameters += parameter.numel();
  }
  EXPECT_EQ(parameters, entry.at("parameters").get<std::int64_t>());

  if (!entry.contains("state_dict")) {
    return;  // the same as at another picture size
  }
  const auto& expected = entry.at("state_dict");
  const auto tensors = state_dict(*encoder);
  ASSERT_EQ(tensors.size(), expected.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(tensors[i].first, expected[i][0].get<std::string>()) << "entry " << i;
    EXPECT_EQ(tensors[i].second.sizes().vec(), expected[i][1].get<std::vector<std::int64_t>>()) << tensors[i].first;
    EXPECT_EQ(type_name(tensors[i].second.scalar_type()), expected[i][2].get<std::string>()) << tensors[i].first;
  }
}

TEST_P(EncoderFixture, GivesTheOriginalsFeatures) {
  const torch::NoGradGuard no_grad;
  encoder->eval();
  const auto features = encoder->forward(images);
  ASSERT_EQ(features.sizes().vec(), (std::vector<std::int64_t>{2, encoder->feature_dim()}));
  const double eval_difference = digest_difference(features, entry.at("eval"));
  EXPECT_LT(eval_difference, 1e-4);
  std::cout << "  eval mode differs by " << eval_difference;
  if (entry.contains("train")) {
    encoder->train();
    const double train_difference = digest_difference(encoder->forward(images), entry.at("train"));
    EXPECT_LT(train_difference, 5e-4);
    std::cout << ", train mode by " << train_difference;
  }
  std::cout << " of the largest\n";
}

TEST_P(EncoderFixture, GivesTheSameFeaturesInChannelsLastAndInFloat64) {
  const torch::NoGradGuard no_grad;
  convert_channels_last(*encoder);
  const auto compare = [&](torch::ScalarType dtype) {
    convert_floating(*encoder, dtype);
    const auto input = images.to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
    encoder->eval();
    const double eval_difference = digest_difference(encoder->forward(input), entry.at("eval"));
    EXPECT_LT(eval_difference, 1e-4) << dtype;
    std::cout << "  " << dtype << ": eval mode differs by " << eval_difference;
    if (entry.contains("train")) {
      encoder->train();
      const auto features = encoder->forward(input);
      EXPECT_EQ(features.scalar_type(), dtype);
      const double train_difference = digest_difference(features, entry.at("train"));
      EXPECT_LT(train_difference, 5e-4) << dtype;
      std::cout << ", train mode by " << train_difference;
    }
    std::cout << " of the largest\n";
  };
  compare(torch::kDouble);
  fill(*encoder);  // running statistics as before
  compare(torch::kFloat);
}

std::string fixture_name(const ::testing::TestParamInfo<int>& entry) {
  const std::vector<std::string> names{"resnet18_cifar_32", "resnet18_cifar_13",    "resnet18_imagenet_96",
                                       "resnet50_cifar_32", "resnet50_imagenet_96", "resnet50_imagenet_41",
                                       "efficientnet_64",   "efficientnet_32"};
  return names.at(static_cast<std::size_t>(entry.param));
}

INSTANTIATE_TEST_SUITE_P(Encoders, EncoderFixture, ::testing::Range(0, 8), fixture_name);

class EveryEncoder : public ::testing::TestWithParam<std::string> {};

TEST_P(EveryEncoder, TrainsInChannelsLastWithoutWarnings) {
  const auto encoder = make_encoder(GetParam(), Stem::cifar);
  convert_channels_last(*encoder);
  const auto images = uniform(1, {4, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast);
  const WarningCounter warnings;
  encoder->forward(images).square().mean().backward();
  EXPECT_THAT(warnings.messages, ::testing::IsEmpty());
  for (const auto& parameter : encoder->named_parameters()) {
    const auto& gradient = parameter.value().grad();
    ASSERT_TRUE(gradient.defined()) << parameter.key();
    EXPECT_TRUE(gradient.isfinite().all().item<bool>()) << parameter.key();
  }
}

TEST_P(EveryEncoder, IsCloseToFloat32UnderBfloat16Autocast) {
  torch::manual_seed(1);
  const auto encoder = make_encoder(GetParam(), Stem::cifar);
  convert_channels_last(*encoder);
  const auto images = uniform(2, {8, 3, 32, 32}).contiguous(at::MemoryFormat::ChannelsLast);
  const torch::NoGradGuard no_grad;
  encoder->train();
  encoder->forward(images);  // running statistics that fit the images
  encoder->eval();
  const auto exact = encoder->forward(images);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const auto features = encoder->forward(images);
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  const double difference = ((features.to(torch::kFloat) - exact).norm() / exact.norm()).item<double>();
  EXPECT_LT(difference, 0.05);
  EXPECT_GT(difference, 0) << "autocast was not on";
  std::cout << "  bfloat16 features differ by " << difference << " in norm\n";
}

/// Deviation, mean and tail of a sample are within 4 standard errors of a normal distribution's.
void expect_normal(const torch::Tensor& values, double deviation, const std::string& name) {
  const auto x = values.detach().to(torch::kDouble).flatten();
  const auto n = static_cast<double>(x.numel());
  const double error = deviation / std::sqrt(2 * n);
  EXPECT_NEAR(x.square().mean().sqrt().item<double>(), deviation, 4 * error) << name;
  EXPECT_NEAR(x.mean().item<double>(), 0, 4 * deviation / std::sqrt(n)) << name;
  const double tail = std::erfc(std::sqrt(2.0));  // P(|x| > 2σ)
  EXPECT_NEAR((x.abs() > 2 * deviation).to(torch::kDouble).mean().item<double>(), tail,
              4 * std::sqrt(tail * (1 - tail) / n))
      << name;
}

TEST_P(EveryEncoder, StartsWithHesFanOutDeviationsAndNeutralNormalisation) {
  for (const auto stem : {Stem::cifar, Stem::imagenet}) {
    torch::manual_seed(3);
    const auto encoder = make_encoder(GetParam(), stem);
    for (const auto& [name, tensor] : state_dict(*encoder)) {
      if (tensor.dim() == 4) {
        const auto fan_out = static_cast<double>(tensor.size(0) * tensor.size(2) * tensor.size(3));
        expect_normal(tensor, std::sqrt(2 / fan_out), name);
      } else {
        const double expected = name.ends_with("weight") || name.ends_with("running_var") ? 1 : 0;
        EXPECT_TRUE(tensor.eq(expected).all().item<bool>()) << name;
      }
    }
  }
}

TEST_P(EveryEncoder, IsAFunctionOfTheSeed) {
  torch::manual_seed(4);
  const auto first = state_dict(*make_encoder(GetParam(), Stem::cifar));
  torch::manual_seed(4);
  const auto second = state_dict(*make_encoder(GetParam(), Stem::cifar));
  torch::manual_seed(5);
  const auto third = state_dict(*make_encoder(GetParam(), Stem::cifar));
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_TRUE(first[i].second.equal(second[i].second)) << first[i].first;
  }
  EXPECT_FALSE(first[0].second.equal(third[0].second));
}

INSTANTIATE_TEST_SUITE_P(Encoders, EveryEncoder, ::testing::Values("resnet18", "resnet50", "efficientnet"),
                         [](const auto& name) { return name.param; });

TEST(Digest, SeesAChangedEntryAChangedNormAndNotANumber) {
  const auto tensor = uniform(10, {4, 5});
  json digest{{"l2", tensor.square().sum().sqrt().item<double>()}, {"first", json::array()}};
  for (std::int64_t i = 0; i < 8; ++i) {
    digest["first"].push_back(tensor.flatten()[i].item<double>());
  }
  EXPECT_LT(digest_difference(tensor, digest), 1e-6);
  auto changed = tensor.clone();
  changed[1][2] += 1e-3;  // entry 7
  EXPECT_GT(digest_difference(changed, digest), 1e-3);
  changed = tensor.clone();
  changed[3][4] += 0.1;  // none of the first
  EXPECT_GT(digest_difference(changed, digest), 1e-3);
  EXPECT_GT(digest_difference(tensor.narrow(0, 0, 1), digest), 1e-3);
  changed[0][0] = NAN;
  EXPECT_FALSE(digest_difference(changed, digest) < 1);
}

TEST(Encoder, UnknownNameIsAUsageErrorThatListsTheKnownOnes) {
  try {
    make_encoder("resnet34", Stem::cifar);
    FAIL() << "no error";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "unknown encoder 'resnet34': choose one of resnet18, resnet50, efficientnet");
  }
}

TEST(StochasticDepth, DropsWholeRowsAtItsRateAndKeepsTheExpectation) {
  torch::manual_seed(6);
  constexpr std::int64_t rows = 20000;
  for (const double drop : {0.005, 0.1, 0.195}) {
    const auto y = stochastic_depth(torch::ones({rows, 3, 2, 1}), drop).flatten(1);
    const auto kept = y.select(1, 0) > 0;
    EXPECT_TRUE(y.eq(y.narrow(1, 0, 1)).all().item<bool>());
    EXPECT_TRUE(torch::allclose(y.select(1, 0), kept.to(torch::kFloat) / (1 - drop)));
    EXPECT_NEAR(kept.to(torch::kDouble).mean().item<double>(), 1 - drop, 4 * std::sqrt(drop * (1 - drop) / rows));
  }
}

/// Makes a block add exactly 1: its last normalisation has weight 0 and bias 1.
void make_constant(torch::nn::Module& block) {
  torch::nn::BatchNorm2dImpl* last = nullptr;
  for (const auto& module : block.modules()) {
    if (auto* norm = module->as<torch::nn::BatchNorm2d>()) {
      last = norm;
    }
  }
  const torch::NoGradGuard no_grad;
  last->weight.zero_();
  last->bias.fill_(1);
}

TEST(EfficientNet, BlocksDropAtTorchvisionsLinearScheduleInTrainingAndNeverInEvaluation) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(7);
  const auto encoder = make_efficientnet();
  const std::vector<std::int64_t> depths{2, 4, 4, 6, 9, 15};
  const std::vector<std::int64_t> channels{24, 48, 64, 128, 160, 256};
  const auto modules = encoder->named_modules();
  double block = 0;
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    for (std::int64_t i = 0; i < depths[stage]; ++i, ++block) {
      if (i == 0 && stage > 0) {
        continue;  // another shape: no shortcut
      }
      const std::string name = "0." + std::to_string(stage + 1) + "." + std::to_string(i);
      auto& layer = dynamic_cast<Layer&>(*modules[name]);
      make_constant(layer);
      const auto x = torch::zeros({400, channels[stage], 1, 1});
      // The first stage's blocks end in SiLU: what they add is silu(1).
      const double added = stage == 0 ? 1 / (1 + std::exp(-1.0)) : 1;

      layer.eval();
      EXPECT_TRUE(torch::allclose(layer.forward(x), torch::full_like(x, added))) << name;
      layer.train();
      const auto y = layer.forward(x).flatten(1).select(1, 0).to(torch::kDouble) / added;
      const double drop = 0.2 * block / 40;
      EXPECT_NEAR(y.max().item<double>(), 1 / (1 - drop), 1e-6) << name;
      EXPECT_NEAR(y.eq(0).to(torch::kDouble).mean().item<double>(), drop, 4 * std::sqrt(drop * (1 - drop) / 400))
          << name;
    }
  }
}

}  // namespace
}  // namespace relic
