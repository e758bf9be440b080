#include "eval_plan.h"

#include <torch/torch.h>

#include "fetch_dataset.h"
#include "print.h"
#include "relic/core/error.h"
#include "relic/train/run_directory.h"
#include "relic/train/settings_file.h"
#include "relic/train/trainer.h"
#include "stop_signal.h"
#include "train_plan.h"

namespace relic {

namespace {

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// Of the run in that folder, the settings of its images that are not given.
void take_run_settings(const std::filesystem::path& settings, SettingNames& given, TrainConfig& config) {
  TrainConfig recorded;
  GivenSettings in_file;
  apply_settings_file(settings, recorded, in_file);
  for (const char* name : {"dataset_name", "image_size", "seed"}) {
    if (!given.contains(name)) {
      const Setting& row = *find_setting(name);
      row.set(config, row.get(recorded));
      given.insert(name);
    }
  }
}

}  // namespace

EvalPlan make_eval_plan(const TypedOptions& typed, std::span<const SettingOf<EvalConfig>> rows) {
  EvalPlan plan;
  auto& config = plan.config;
  std::vector<std::string> problems = typed.problems;
  const auto attempt = [&problems](const char* flag, const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      problems.push_back(flag + std::string(error.what()));
    }
  };
  SettingNames given;
  SettingNames unread;
  apply_options(typed, rows, config, given, unread, problems);
  plan.file = config.encoder;
  if (is_folder(config.encoder)) {
    const RunDirectory run(config.encoder);
    plan.file = run.encoder();
    attempt("--encoder ", [&] { take_run_settings(run.settings(), given, config.common); });
  }
  for (auto& problem : find_row_problems(rows, config, unread)) {
    problems.push_back(std::move(problem));
  }
  if (!config.encoder.empty()) {
    attempt("--encoder ", [&] { plan.encoder = load_encoder(plan.file); });
  }
  if (!given.contains("dataset_name") && !is_folder(config.encoder)) {
    problems.emplace_back("--dataset_name: must be given where --encoder names no run's folder");
  }
  attempt("", [&] { plan.runtime = choose_runtime(config.common); });
  require_no_problems(problems);
  at::set_num_threads(plan.runtime.compute_threads);
  plan.encoder.encoder->to(plan.runtime.device);
  return plan;
}

FoundDataset find_images(const EvalPlan& plan, Split split) {
  const auto& config = plan.config.common;
  if (is_to_be_fetched(config)) {
    fetch_dataset(config);
  }
  return find_dataset(request_of(config, split));
}

int run_eval(const Command& command, std::span<const SettingOf<EvalConfig>> rows,
             const std::vector<std::string>& arguments, const std::function<void(const EvalPlan&, Log&)>& action) {
  const TypedOptions typed = read_options(command, arguments);
  if (!typed.text.empty()) {
    print(typed.text);
    return 0;
  }
  catch_stop_signals();
  try {
    const EvalPlan plan = make_eval_plan(typed, rows);
    Log log(console_level(plan.config.common));
    action(plan, log);
    return 0;
  } catch (const Interrupted&) {
    return stop_status();
  }
}

void log_start(const EvalPlan& plan, Log& log) {
  for (const auto& warning : plan.runtime.warnings) {
    log.warning(warning);
  }
  const bool cifar_stem = plan.encoder.stem == Stem::cifar;
  log.info("encoder: " + plan.encoder.name + (cifar_stem ? " (CIFAR stem)" : "") + " of " + plan.file.string());
}

EvalWatch::EvalWatch(const EvalPlan& plan, Log& log)
    : log_(log),
      bad_images_({}, plan.config.common.max_bad_images, [&log](const std::string& line) { log.warning(line); }) {}

Watch EvalWatch::of(const std::string& what) {
  return {stop_requested, [this, what](const std::string& where) { log_.progress(what + ", " + where); },
          [this](const BadImage& image) { bad_images_.add(image); }};
}

}  // namespace relic
