#include "relic/train/final_scores.h"

#include "relic/core/text.h"
#include "relic/eval/norm_statistics.h"
#include "relic/train/options.h"

namespace relic {

namespace {

std::string row(const std::string& name, const ClassifierScores& untrained, const ClassifierScores& trained) {
  const double gain = 100 * (trained.top1 - untrained.top1);
  return "  " + padded(name, 20) + padded(untrained.top1_text(), 25) + padded(trained.top1_text(), 25) +
         (gain < 0 ? "" : "+") + fixed(gain, 1);
}

}  // namespace

ProbeResult score_encoder(Encoder& encoder, const Dataset& train, const Dataset& test, const TrainConfig& config,
                          const Runtime& runtime, const Watch& watch) {
  return probe_encoder(encoder, train, test, image_size(config),
                       {.seed = config.seed, .device = runtime.device, .watch = watch});
}

ProbeResult score_untrained(const Dataset& train, const Dataset& test, const TrainConfig& config,
                            const Runtime& runtime, const Watch& watch) {
  constexpr std::int64_t kImages = 2048;
  const auto untrained = initial_relic(config, runtime.device);
  Encoder& encoder = untrained->target().encoder();
  estimate_norm_statistics(encoder, train, image_size(config), runtime.device, kImages, watch);
  return score_encoder(encoder, train, test, config, runtime, watch);
}

std::vector<std::string> score_table(const ProbeResult& untrained, const ProbeResult& trained,
                                     const TrainConfig& config, std::int64_t classes) {
  const auto& info = dataset_info(config.dataset_name);
  const std::string set = info.name + (info.synthetic ? " (synthetic, drawn images)" : "");
  return {"target encoder's frozen features on " + std::to_string(untrained.linear.total) + " test images of " + set +
              ", accuracy and its 95 % interval (chance " + fixed(100.0 / static_cast<double>(classes), 1) + " %)",
          "untrained: the weights before the first step, with BatchNorm's statistics of the training images",
          "  " + padded("", 20) + padded("untrained", 25) + padded("trained", 25) + "points",
          row("nearest neighbours", untrained.neighbours, trained.neighbours),
          row("logistic regression", untrained.linear, trained.linear)};
}

}  // namespace relic
