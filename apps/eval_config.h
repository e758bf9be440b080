// The settings of what is done with a trained encoder: probe and embed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "relic/train/config.h"
#include "relic/train/settings.h"

namespace relic {

struct EvalConfig {
  std::filesystem::path encoder;  // a run's folder, or a .pth file
  /// Data set, image size, device, threads, seed, console: as a training's.
  TrainConfig common;

  // probe
  double c = 1;
  std::int64_t max_iter = 1000;
  bool standardize = false;
  std::int64_t k = 200;
  std::filesystem::path weights;  // empty: not written
  std::filesystem::path report;   // empty: probe.json or FILE.probe.json beside the encoder

  // embed
  std::string split = "train";  // pretraining, train, test
  std::filesystem::path out;
};

std::span<const SettingOf<EvalConfig>> probe_settings();
std::span<const SettingOf<EvalConfig>> embed_settings();

}  // namespace relic
