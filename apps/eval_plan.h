// What probe and embed start from: a trained encoder, and where the images are.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "eval_config.h"
#include "relic/core/log.h"
#include "relic/data/bad_images.h"
#include "relic/data/dataset.h"
#include "relic/eval/load_encoder.h"
#include "relic/eval/watch.h"
#include "relic/train/runtime.h"
#include "typed_options.h"

namespace relic {

struct EvalPlan {
  EvalConfig config;
  Runtime runtime;
  std::filesystem::path file;    ///< the encoder's
  LoadedEncoder encoder;         ///< on the device
  std::filesystem::path report;  ///< of a probe
};

/// Reads the encoder and, of a run, the settings that are not given. Throws UsageError with everything that is wrong, a
/// line each.
EvalPlan make_eval_plan(const TypedOptions& typed, std::span<const SettingOf<EvalConfig>> rows);

/// Fetches the data set where it is not there and may be; see find_dataset.
FoundDataset find_images(const EvalPlan& plan, Split split);

/// Runs what a command does with the arguments after its name; gives the program's exit status.
int run_eval(const Command& command, std::span<const SettingOf<EvalConfig>> rows,
             const std::vector<std::string>& arguments, const std::function<void(const EvalPlan&, Log&)>& action);

/// What is worth a line before the work: warnings, and which encoder it is.
void log_start(const EvalPlan& plan, Log& log);

/// Bad images are told, and counted against --max_bad_images; progress is told as "WHAT, 256 of 5000".
class EvalWatch {
 public:
  EvalWatch(const EvalPlan& plan, Log& log);
  [[nodiscard]] Watch of(const std::string& what);

 private:
  Log& log_;
  BadImages bad_images_;
};

}  // namespace relic
