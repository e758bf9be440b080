#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "eval/check_features.h"
#include "eval/unit_rows.h"
#include "relic/core/error.h"
#include "relic/eval/scores.h"

namespace relic {
namespace {

constexpr std::int64_t kMostSimilarities = std::int64_t{1} << 24U;  // 64 MiB at a time

}  // namespace

torch::Tensor knn_votes(const Features& train, const Features& test, std::int64_t classes, std::int64_t k,
                        double temperature) {
  check_features(train, classes, "training");
  check_features(test, classes, "test");
  if (k < 1 || !(temperature > 0)) {
    throw UsageError("nearest neighbours need k of at least 1 and a temperature above 0, not " + std::to_string(k) +
                     " and " + std::to_string(temperature));
  }
  if (train.x.size(1) != test.x.size(1)) {
    throw Error("the training features have " + std::to_string(train.x.size(1)) + " dimensions, the test features " +
                std::to_string(test.x.size(1)));
  }
  const at::NoGradGuard no_grad;
  const torch::Tensor keys = unit_rows(train.x, torch::kFloat).t();
  const torch::Tensor queries = unit_rows(test.x, torch::kFloat);
  const std::int64_t neighbours = std::min(k, train.x.size(0));
  const std::int64_t rows = std::max<std::int64_t>(1, kMostSimilarities / train.x.size(0));
  const std::int64_t total = queries.size(0);
  torch::Tensor votes = torch::zeros({total, classes}, torch::kDouble);
  for (std::int64_t begin = 0; begin < total; begin += rows) {
    const std::int64_t end = std::min(begin + rows, total);
    const auto [similarity, index] = at::mm(queries.slice(0, begin, end), keys).topk(neighbours, 1);
    // Relative to the nearest, so that no weight overflows at a low temperature; a query's votes only compare with
    // each other.
    const torch::Tensor near = similarity.to(torch::kDouble);
    const torch::Tensor weight = ((near - near.slice(1, 0, 1)) / temperature).exp();
    const torch::Tensor labels = train.labels.index_select(0, index.flatten()).view(index.sizes());
    votes.slice(0, begin, end).scatter_add_(1, labels, weight);
  }
  return votes;
}

Accuracy knn_accuracy(const Features& train, const Features& test, std::int64_t classes, std::int64_t k,
                      double temperature) {
  const torch::Tensor votes = knn_votes(train, test, classes, k, temperature);
  return {.correct = count_equal(votes.argmax(1), test.labels), .total = test.labels.numel()};
}

}  // namespace relic
