#include "relic/train/options.h"

#include <torch/torch.h>

#include <algorithm>
#include <string>

#include "relic/data/dataset.h"

namespace relic {

namespace {

constexpr double kMaxTemperature = 5;
constexpr double kMaxTemperatureSiglip = 15;

Stem choose_stem(const TrainConfig& config) {
  if (config.stem != "auto") {
    return config.stem == "cifar" ? Stem::cifar : Stem::imagenet;
  }
  const bool small = image_size(config) <= 32;
  return small || config.dataset_name.find("cifar") != std::string::npos ? Stem::cifar : Stem::imagenet;
}

}  // namespace

int image_size(const TrainConfig& config) {
  return config.image_size > 0 ? static_cast<int>(config.image_size) : dataset_info(config.dataset_name).image_size;
}

RelicOptions relic_options(const TrainConfig& config) {
  return {config.encoder_model_name, choose_stem(config), config.proj_hidden_dim, config.proj_out_dim,
          config.use_siglip};
}

MultiCropSpec view_options(const TrainConfig& config) {
  return multi_crop_for(image_size(config), static_cast<int>(config.num_global_views),
                        static_cast<int>(config.num_local_views));
}

ForwardOptions forward_options(const TrainConfig& config, const Runtime& runtime) {
  ForwardOptions options;
  options.loss = {config.alpha, config.use_siglip, config.use_siglip ? kMaxTemperatureSiglip : kMaxTemperature};
  options.global_views = config.num_global_views;
  options.local_views = config.num_local_views;
  options.local_views_reuse_globals = config.compat == "0.4.1";
  options.statistics_per_view = config.bn_per_view || config.compat == "0.4.1";
  options.autocast = runtime.autocast;
  return options;
}

std::int64_t last_step(const TrainConfig& config, std::int64_t steps_per_epoch) {
  const auto all = steps_per_epoch * config.num_epochs;
  return config.max_steps > 0 ? std::min(all, config.max_steps) : all;
}

std::unique_ptr<Relic> initial_relic(const TrainConfig& config, const torch::Device& device) {
  torch::manual_seed(config.seed);
  auto relic = std::make_unique<Relic>(relic_options(config));
  relic->to(device);
  return relic;
}

}  // namespace relic
