#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <iostream>
#include <vector>

#include "eval/lbfgs.h"
#include "relic/core/error.h"
#include "relic/eval/scores.h"
#include "support/fill.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::digest_difference;
using testing::message_of;
using testing::uniform;

Features problem(const nlohmann::json& fixture, const char* part) {
  const auto dim = fixture.at("dim").get<std::int64_t>();
  const auto classes = fixture.at("classes").get<std::int64_t>();
  const auto n = fixture.at(std::string("n_") + part).get<std::int64_t>();
  const auto& streams = fixture.at("streams");
  const auto mean = 2 * uniform(streams.at("mean").get<std::uint64_t>(), {classes, dim}, torch::kDouble) - 1;
  const auto noise = 2 * uniform(streams.at(part).get<std::uint64_t>(), {n, dim}, torch::kDouble) - 1;
  const auto labels = torch::arange(n).remainder(classes);
  const auto x = mean.index_select(0, labels) + fixture.at("noise").get<double>() * noise;
  return {.x = x.to(torch::kFloat), .labels = labels};
}

double largest_difference(const torch::Tensor& values, const nlohmann::json& expected) {
  return (values - torch::tensor(expected.get<std::vector<double>>(), torch::kDouble)).abs().max().item<double>();
}

TEST(LogisticRegression, FindsScikitLearnsSolution) {
  for (const auto& fixture : testing::read_fixture("logistic_regression.json")) {
    const Features train = problem(fixture, "train");
    const Features test = problem(fixture, "test");
    const auto classes = fixture.at("classes").get<std::int64_t>();
    const auto model = fit_logistic_regression(train, classes, {.c = fixture.at("C").get<double>(), .tolerance = 1e-8});
    EXPECT_TRUE(model.converged);
    const double weight = largest_difference(model.weight[0], fixture.at("coef_row0"));
    const double intercept = largest_difference(model.intercept, fixture.at("intercept"));
    std::cout << train.x.sizes() << ": " << model.iterations << " iterations, largest difference of a weight " << weight
              << ", of an intercept " << intercept << ", digest " << digest_difference(model.weight, fixture.at("coef"))
              << "\n";
    EXPECT_LT(weight, 1e-3);
    EXPECT_LT(intercept, 1e-3);
    EXPECT_LT(digest_difference(model.weight, fixture.at("coef")), 1e-3);
    EXPECT_DOUBLE_EQ(linear_accuracy(model, train).value(), fixture.at("train_accuracy").get<double>());
    EXPECT_DOUBLE_EQ(linear_accuracy(model, test).value(), fixture.at("test_accuracy").get<double>());
  }
}

/// The gradient of C·Σ cross entropy + ½‖W‖² by autograd, in one piece.
double gradient_norm(const LogisticRegression& model, const Features& train, double c) {
  const auto weight = model.weight.clone().requires_grad_();
  const auto intercept = model.intercept.clone().requires_grad_();
  const auto logits = torch::addmm(intercept, train.x.to(torch::kDouble), weight.t());
  const auto loss =
      c * torch::cross_entropy_loss(logits, train.labels, {}, at::Reduction::Sum) + 0.5 * weight.square().sum();
  loss.backward();
  return std::max(weight.grad().abs().max().item<double>(), intercept.grad().abs().max().item<double>());
}

TEST(LogisticRegression, IsAMinimumWhateverThePenalty) {
  const auto fixture = testing::read_fixture("logistic_regression.json").at(0);
  const Features train = problem(fixture, "train");
  for (const double c : {1e-3, 0.1, 10.0, 100.0}) {
    const auto model = fit_logistic_regression(train, 5, {.c = c, .tolerance = 1e-9});
    EXPECT_TRUE(model.converged) << c;
    const double gradient = gradient_norm(model, train, c) / (c * 600);
    std::cout << "C " << c << ": " << model.iterations << " iterations, gradient " << gradient << "\n";
    EXPECT_LT(gradient, 2e-9);
  }
}

TEST(LogisticRegression, ConvergesWhateverTheScalesOfTheFeatures) {
  const auto fixture = testing::read_fixture("logistic_regression.json").at(1);
  Features train = problem(fixture, "train");
  // Four orders of magnitude between features, far from zero, and some of them nearly the same.
  train.x = train.x * torch::logspace(-2, 2, 64) + 50;
  train.x.slice(1, 0, 8).copy_(train.x.slice(1, 8, 16) + 1e-3 * train.x.slice(1, 0, 8));
  const auto model = fit_logistic_regression(train, 10);
  std::cout << model.iterations << " iterations, training accuracy " << linear_accuracy(model, train).text() << "\n";
  EXPECT_TRUE(model.converged);
  EXPECT_LT(model.iterations, 500);
  EXPECT_GT(linear_accuracy(model, train).value(), 0.99);
}

TEST(LogisticRegression, SeparableConstantAndSingleClassFeatures) {
  const Features separable{.x = torch::tensor({{-1.0F}, {-2.0F}, {1.0F}, {2.0F}}),
                           .labels = torch::tensor({0L, 0L, 1L, 1L})};
  const auto split = fit_logistic_regression(separable, 2, {.c = 1e6});
  EXPECT_TRUE(split.converged);
  EXPECT_EQ(linear_accuracy(split, separable).correct, 4);

  const Features constant{.x = torch::zeros({6, 3}), .labels = torch::tensor({0L, 0L, 0L, 1L, 1L, 2L})};
  const auto prior = fit_logistic_regression(constant, 3, {.tolerance = 1e-9});
  EXPECT_TRUE(prior.converged);
  EXPECT_EQ(prior.weight.abs().max().item<double>(), 0.0);
  const auto share = torch::softmax(prior.intercept, 0);
  EXPECT_NEAR(share[0].item<double>(), 3.0 / 6, 1e-6);
  EXPECT_NEAR(share[2].item<double>(), 1.0 / 6, 1e-6);

  const Features single{.x = uniform(5, {10, 3}), .labels = torch::zeros({10}, torch::kLong)};
  EXPECT_EQ(linear_accuracy(fit_logistic_regression(single, 2), single).correct, 10);
  EXPECT_EQ(linear_accuracy(fit_logistic_regression(single, 1), single).correct, 10);
}

TEST(LogisticRegression, SaysWhenItDidNotConverge) {
  const auto fixture = testing::read_fixture("logistic_regression.json").at(0);
  const auto model = fit_logistic_regression(problem(fixture, "train"), 5, {.max_iterations = 2});
  EXPECT_FALSE(model.converged);
  EXPECT_EQ(model.iterations, 2);
}

TEST(LogisticRegression, StopsOnRequestAndTellsHowFarItIs) {
  const auto fixture = testing::read_fixture("logistic_regression.json").at(0);
  int asked = 0;
  std::vector<std::string> told;
  const Watch watch{.stop = [&asked] { return ++asked == 3; },
                    .progress = [&told](const std::string& where) { told.push_back(where); }};
  EXPECT_THROW(fit_logistic_regression(problem(fixture, "train"), 5, {.watch = watch}), Interrupted);
  EXPECT_THAT(told, ::testing::ElementsAre("evaluation 1", "evaluation 2"));
}

TEST(LogisticRegression, WhatItRefuses) {
  const auto fixture = testing::read_fixture("logistic_regression.json").at(0);
  const Features train = problem(fixture, "train");
  EXPECT_EQ(message_of<Error>([&] { fit_logistic_regression(train, 4); }),
            "the training features have label 4, but there are 4 classes");
  for (const LogisticRegressionOptions& bad :
       {LogisticRegressionOptions{.c = 0}, LogisticRegressionOptions{.tolerance = -1},
        LogisticRegressionOptions{.max_iterations = -1}}) {
    EXPECT_EQ(message_of<UsageError>([&] { fit_logistic_regression(train, 5, bad); }),
              "logistic regression needs C and the tolerance above 0 and no negative number of iterations");
  }
  const auto model = fit_logistic_regression(train, 5, {.max_iterations = 1});
  EXPECT_EQ(message_of<Error>([&] { linear_accuracy(model, {.x = train.x.slice(1, 0, 7), .labels = train.labels}); }),
            "the test features have 7 dimensions, the classifier 16");
}

TEST(Lbfgs, FindsTheMinimumOfAnIllConditionedQuadratic) {
  const auto scale = torch::logspace(-3, 3, 30, 10, torch::kDouble);
  const auto target = uniform(4, {30}, torch::kDouble);
  const auto evaluate = [&](const torch::Tensor& x) {
    return Evaluation{.value = 0.5 * (scale * (x - target).square()).sum().item<double>(),
                      .gradient = scale * (x - target)};
  };
  const auto with = [](const torch::Tensor& diagonal) {
    return [diagonal](const torch::Tensor&) -> Preconditioner {
      return [diagonal](const torch::Tensor& gradient) { return gradient / diagonal; };
    };
  };
  const auto start = torch::zeros({30}, torch::kDouble);
  const auto plain = minimise(evaluate, with(torch::ones_like(scale)), start, 1e-9, 10'000);
  const auto exact = minimise(evaluate, with(scale), start, 1e-9, 10'000);
  std::cout << plain.iterations << " iterations, with the exact preconditioner " << exact.iterations << "\n";
  EXPECT_TRUE(plain.converged);
  EXPECT_LT((plain.point - target).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(exact.converged);
  EXPECT_LE(exact.iterations, 2);
}

}  // namespace
}  // namespace relic
