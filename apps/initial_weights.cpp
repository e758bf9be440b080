#include "initial_weights.h"

#include <torch/torch.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "relic/core/error.h"
#include "relic/formats/pth.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "relic/train/options.h"

namespace relic {

namespace {

bool is_encoder_alone(const StateDict& weights) {
  return std::ranges::none_of(weights, [](const auto& item) {
    return item.first.starts_with("online_encoder.") || item.first.starts_with("target_encoder.");
  });
}

}  // namespace

StateDict read_initial_weights(const TrainConfig& config) {
  const auto& path = config.ckpt_path;
  const RunDirectory run(path.parent_path());
  try {
    const auto value = read_pth(path);
    if (is_checkpoint(value)) {
      throw Error(path.string() + ": the checkpoint of a run; to start from its weights name " + run.model().string() +
                  ", to go on with it use --resume");
    }
    auto weights = to_state_dict(value, path.string());
    if (is_encoder_alone(weights)) {
      throw Error(path.string() + ": not the weights of a whole model (online_encoder, target_encoder); beside an " +
                  run.encoder().filename().string() + " lies the " + run.model().filename().string() + " to name");
    }
    load_state_dict(*initial_relic(config, torch::kCPU), weights, path.string());
    return weights;
  } catch (const Error& error) {
    throw UsageError(std::string("--ckpt_path ") + error.what());
  }
}

}  // namespace relic
