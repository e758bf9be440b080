#include "relic/train/evaluation.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "relic/core/text.h"
#include "relic/data/sample_order.h"
#include "relic/eval/features.h"
#include "relic/train/options.h"

namespace relic {

namespace {

constexpr std::int64_t kMostImages = 5000;
constexpr std::int64_t kHeldOutShare = 10;
constexpr std::int64_t kMostIterations = 100;
constexpr std::uint64_t kSeedSalt = 0x4E1D0474ULL;  // another order than the training's
// Below it the mean cosine between representations of different images is above 0.99.
constexpr double kCollapsedDeviation = 0.1;
constexpr double kCollapsedRank = 2;

std::string spread_text(const Spread& spread) {
  return fixed(spread.deviation, 3) + ", rank " + fixed(spread.effective_rank, 1) + " of " +
         std::to_string(spread.dimensions);
}

}  // namespace

Evaluator::Evaluator(const TrainConfig& config, const Runtime& runtime, const Dataset& images, const Dataset* labelled,
                     Watch watch)
    : image_size_(image_size(config)),
      device_(runtime.device),
      images_(images),
      labelled_(labelled),
      watch_(std::move(watch)),
      collapse_{.image_size = image_size_,
                .seed = config.seed,
                .workers = runtime.view_workers,
                .device = runtime.device,
                .watch = watch_} {
  const std::int64_t held_out = labelled_ == nullptr ? 0 : labelled_->size() / kHeldOutShare;
  if (held_out == 0) {
    labelled_ = nullptr;
    return;
  }
  auto order = SampleOrder(labelled_->size(), labelled_->size(), config.seed ^ kSeedSalt).batch(0);
  const auto begin = order.begin();
  const auto fitted = std::min(kMostImages, labelled_->size() - held_out);
  held_out_.assign(begin, begin + std::min(kMostImages, held_out));
  fitted_.assign(begin + held_out, begin + held_out + fitted);
}

HeldOutScores Evaluator::score(Encoder& encoder) const {
  const auto classes = static_cast<std::int64_t>(labelled_->class_names().size());
  const auto features = [&](const std::vector<std::int64_t>& indices, const char* which) {
    return extract_features(encoder, *labelled_, indices, image_size_, device_, watch_.part(which));
  };
  const Features fitted = features(fitted_, "training images");
  const Features held_out = features(held_out_, "held-out images");
  const auto model = fit_logistic_regression(
      fitted, classes,
      {.max_iterations = kMostIterations, .device = device_, .watch = watch_.part("logistic regression")});
  return {.neighbours = knn_accuracy(fitted, held_out, classes), .linear = linear_accuracy(model, held_out)};
}

Evaluation Evaluator::evaluate(Relic& relic) const {
  Evaluation evaluation{.held_out = {}, .signs = collapse_signs(relic.target(), images_, collapse_)};
  if (labelled_ != nullptr) {
    evaluation.held_out = score(relic.target().encoder());
  }
  return evaluation;
}

std::vector<std::string> evaluation_text(const Evaluation& evaluation) {
  std::vector<std::string> lines;
  if (const auto& scores = evaluation.held_out) {
    lines.push_back(std::to_string(scores->linear.total) + " held-out images: nearest neighbours " +
                    scores->neighbours.text() + ", logistic regression " + scores->linear.text());
  }
  const auto& signs = evaluation.signs;
  lines.push_back("spread of features " + spread_text(signs.features) + "; of projections " +
                  spread_text(signs.projections) + "; alignment " + fixed(signs.alignment, 3) + ", uniformity " +
                  fixed(signs.uniformity, 2));
  return lines;
}

std::string collapse_warning(const CollapseSigns& signs) {
  for (const auto& [what, spread] : {std::pair{"features", signs.features}, {"projections", signs.projections}}) {
    const bool point = spread.deviation < kCollapsedDeviation;
    const bool line = spread.effective_rank < std::min(kCollapsedRank, static_cast<double>(spread.dimensions));
    if (point || line) {
      return std::string(what) + " of different images hardly differ (spread " + spread_text(spread) +
             "): the target has collapsed, or has not learnt to tell images apart yet; see docs/training.md";
    }
  }
  return {};
}

}  // namespace relic
