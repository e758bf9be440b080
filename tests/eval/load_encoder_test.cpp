#include "relic/eval/load_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <string>
#include <utility>

#include "relic/core/error.h"
#include "relic/formats/pth.h"
#include "relic/nn/relic.h"
#include "relic/nn/state_dict.h"
#include "support/fill.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::fill;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

torch::Tensor features(Encoder& encoder) {
  const torch::NoGradGuard no_grad;
  encoder.eval();
  return encoder.forward(testing::uniform(3, {2, 3, 32, 32}));
}

/// torchvision's names for ours: children 0, 1, 4 … 7 of a ResNet, or child 0 of an EfficientNet.
std::string torchvision_name(const std::string& name, bool efficientnet) {
  if (efficientnet) return "features." + name.substr(2);
  const std::string rest = name.substr(1);
  switch (name.front()) {
    case '0':
      return "conv1" + rest;
    case '1':
      return "bn1" + rest;
    default:
      return "layer" + std::to_string(name.front() - '3') + rest;
  }
}

class LoadEncoder : public ::testing::Test {
 protected:
  void save(const StateDict& tensors) { write_state_dict(file(), tensors); }
  std::filesystem::path file() { return folder_ / "encoder.pth"; }
  void expect_same(Encoder& expected) {
    const auto loaded = load_encoder(file());
    EXPECT_TRUE(torch::equal(features(*loaded.encoder), features(expected)));
  }
  std::string failure() {
    return message_of<Error>([this] { load_encoder(file()); });
  }

  TemporaryFolder folder_;
};

TEST_F(LoadEncoder, TellsTheNetworkFromNamesAndShapes) {
  for (const auto& [name, stem] : {std::pair{"resnet18", Stem::cifar}, std::pair{"resnet18", Stem::imagenet},
                                   std::pair{"resnet50", Stem::cifar}, std::pair{"efficientnet", Stem::imagenet}}) {
    const auto encoder = make_encoder(name, stem);
    fill(*encoder);
    save(state_dict(*encoder));
    const auto loaded = load_encoder(file());
    EXPECT_EQ(loaded.name, name);
    EXPECT_EQ(loaded.stem, stem);
    expect_same(*encoder);
  }
}

TEST_F(LoadEncoder, TakesTheTargetEncoderOfAWholeModel) {
  Relic relic({"resnet18", Stem::cifar, 16, 8, false});
  fill(relic.target().encoder());
  save(state_dict(relic));
  expect_same(relic.target().encoder());
}

TEST_F(LoadEncoder, TakesTorchvisionsNamesAndOldFilesWithoutBatchCounters) {
  for (const std::string name : {"resnet18", "resnet50", "efficientnet"}) {
    const auto encoder = make_encoder(name, Stem::imagenet);
    fill(*encoder);
    StateDict renamed;
    for (const auto& [ours, tensor] : state_dict(*encoder)) {
      if (!ours.ends_with("num_batches_tracked")) {
        renamed.emplace_back(torchvision_name(ours, name == "efficientnet"), tensor);
      }
    }
    renamed.emplace_back(name == "efficientnet" ? "classifier.1.weight" : "fc.weight", torch::zeros({10, 4}));
    save(renamed);
    expect_same(*encoder);
  }
}

TEST_F(LoadEncoder, NamesWhatDoesNotFit) {
  StateDict tensors = state_dict(*make_encoder("resnet18", Stem::cifar));
  tensors[6].second = torch::zeros({3, 3});
  const std::string changed = tensors[6].first;
  save(tensors);
  EXPECT_THAT(failure(), ::testing::AllOf(HasSubstr(file().string()), HasSubstr(changed + " [3, 3] for")));
  save({{"weight", torch::zeros({2})}});
  EXPECT_THAT(failure(), HasSubstr("holds no ResNet-18, ResNet-50 or EfficientNet-v2-S (its first tensor is weight)"));
  save({});
  EXPECT_THAT(failure(), HasSubstr("(its first tensor is nothing)"));
}

}  // namespace
}  // namespace relic
