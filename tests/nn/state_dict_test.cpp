#include "relic/nn/state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relic/core/error.h"
#include "relic/nn/projector.h"
#include "support/fill.h"

namespace relic {
namespace {

using ::testing::AllOf;
using testing::clone;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string error_of(torch::nn::Module& module, const StateDict& tensors) {
  try {
    load_state_dict(module, tensors, "models/encoder.pth");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(StateDict, SharesMemoryWithTheModule) {
  const torch::NoGradGuard no_grad;
  Projector projector(3, 4, 2);
  const auto tensors = state_dict(*projector, "online_encoder.1.");
  ASSERT_EQ(tensors.size(), 2U);
  EXPECT_EQ(tensors[0].first, "online_encoder.1.block.0.weight");
  EXPECT_EQ(tensors[1].first, "online_encoder.1.block.2.weight");
  projector->parameters()[0].fill_(7);
  EXPECT_TRUE(tensors[0].second.eq(7).all().item<bool>());
}

TEST(LoadStateDict, CopiesValuesInAnyOrderAndConvertsTypes) {
  Projector projector(3, 4, 2);
  testing::fill(*projector);
  auto tensors = clone(state_dict(*projector));
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.to(torch::kDouble);
  }
  std::swap(tensors[0], tensors[1]);
  Projector other(3, 4, 2);
  load_state_dict(*other, tensors, "test");
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(other->parameters()[i].equal(projector->parameters()[i]));
    EXPECT_TRUE(other->parameters()[i].requires_grad());
    EXPECT_EQ(other->parameters()[i].scalar_type(), torch::kFloat);
  }
  tensors[0].second.zero_();  // a copy, not the tensor itself
  EXPECT_TRUE(other->parameters()[1].equal(projector->parameters()[1]));
}

TEST(LoadStateDict, NamesWhatIsMissingUnexpectedAndOfAnotherShape) {
  Projector projector(3, 4, 2);
  auto tensors = clone(state_dict(*projector));
  tensors[0].first = "block.1.weight";
  EXPECT_THAT(error_of(*projector, tensors),
              AllOf(StartsWith("models/encoder.pth: "), HasSubstr("1 missing (block.0.weight)"),
                    HasSubstr("1 unexpected (block.1.weight)")));

  auto misshapen = clone(state_dict(*projector));
  misshapen[1].second = torch::zeros({2, 5});
  EXPECT_THAT(
      error_of(*projector, misshapen),
      AllOf(HasSubstr("1 of another shape (block.2.weight [2, 5] for [2, 4])"), ::testing::Not(HasSubstr("missing")),
            ::testing::Not(HasSubstr("unexpected")), ::testing::Not(HasSubstr("\n"))));
}

TEST(LoadStateDict, ListsOnlyTheFirstNames) {
  Projector projector(3, 4, 2);
  auto tensors = clone(state_dict(*projector));
  for (int i = 0; i < 5; ++i) {
    tensors.emplace_back("extra" + std::to_string(i), torch::zeros({}));
  }
  EXPECT_THAT(error_of(*projector, tensors), HasSubstr("5 unexpected (extra0, extra1, extra2, …)"));
}

TEST(LoadStateDict, LeavesTheModuleAloneWhereItThrows) {
  Projector projector(3, 4, 2);
  const auto before = clone(state_dict(*projector));
  auto tensors = clone(before);
  tensors[0].second.fill_(9);
  tensors[1].second = torch::zeros({1});
  EXPECT_NE(error_of(*projector, tensors), "");
  EXPECT_TRUE(projector->parameters()[0].equal(before[0].second));
}

}  // namespace
}  // namespace relic
