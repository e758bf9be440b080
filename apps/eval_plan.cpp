#include "eval_plan.h"

#include <torch/torch.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "fetch_dataset.h"
#include "print.h"
#include "relic/core/error.h"
#include "relic/run/checkpoint.h"
#include "relic/run/run_directory.h"
#include "relic/train/options.h"
#include "relic/train/settings_file.h"
#include "stop_signal.h"
#include "train_plan.h"

namespace relic {

namespace {

bool is_folder(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// The folder of the run that an encoder's file belongs to: it lies there, beside the settings.
std::optional<std::filesystem::path> run_folder_of(const std::filesystem::path& encoder) {
  if (encoder.empty()) return std::nullopt;
  if (is_folder(encoder)) return encoder;
  const auto folder = encoder.parent_path();
  std::error_code ignored;
  return std::filesystem::exists(RunDirectory(folder).settings(), ignored) ? std::optional(folder) : std::nullopt;
}

/// Where the run's images were; empty where that is not known any more.
std::filesystem::path recorded_dataset_path(const RunDirectory& run) {
  try {
    return read_checkpoint(run.checkpoint()).dataset_path;
  } catch (const Error&) {  // an encoder can be probed without what is needed to train on
    return {};
  }
}

/// Of a run, the settings of its images that are not given.
void take_run_settings(const RunDirectory& run, SettingNames& given, TrainConfig& config) {
  if (std::error_code ignored; !std::filesystem::exists(run.settings(), ignored)) {
    throw UsageError(run.folder().string() + ": no run's folder (there is no settings.toml in it)");
  }
  TrainConfig recorded;
  GivenSettings in_file;
  apply_settings_file(run.settings(), recorded, in_file);
  recorded.image_size = image_size(recorded);
  const bool same_images = !given.contains("dataset_name") || config.dataset_name == recorded.dataset_name;
  if (same_images && !given.contains("dataset_path")) {
    if (auto path = recorded_dataset_path(run); !path.empty()) {
      config.dataset_path = std::move(path);
    }
  }
  for (const char* name : {"dataset_name", "image_size", "seed"}) {
    if (!given.contains(name)) {
      const Setting& row = *find_setting(name);
      row.set(config, row.get(recorded));
      given.insert(name);
    }
  }
}

/// What would keep a file from being written, after minutes of work; empty where nothing does.
std::string unwritable(const std::filesystem::path& file) {
  const auto folder = std::filesystem::absolute(file).parent_path();
  if (is_folder(file)) return "is a folder; name a file in it";
  if (!is_folder(folder)) return "there is no folder " + folder.string();
  if (::access(folder.c_str(), W_OK) != 0) return "cannot be written: " + std::generic_category().message(errno);
  return {};
}

/// The files that the command is to write, by their flags.
std::vector<std::string> find_unwritable(const EvalPlan& plan, std::span<const SettingOf<EvalConfig>> rows) {
  std::vector<std::string> problems;
  for (const auto& row : rows) {
    if (row.name != "report" && row.name != "weights" && row.name != "out") continue;
    const std::filesystem::path file = row.name == "report" ? plan.report : std::filesystem::path(row.get(plan.config));
    if (file.empty()) continue;
    if (row.name == "out" && file.extension() != ".npy") {
      problems.push_back("--out " + file.string() + ": must end in .npy");
      continue;
    }
    if (const auto reason = unwritable(file); !reason.empty()) {
      problems.push_back("--" + row.name + " " + file.string() + ": " + reason);
    }
  }
  return problems;
}

}  // namespace

EvalPlan make_eval_plan(const TypedOptions& typed, std::span<const SettingOf<EvalConfig>> rows) {
  EvalPlan plan;
  auto& config = plan.config;
  std::vector<std::string> problems = typed.problems;
  const auto attempt = [&problems](const char* flag, const auto& action) {
    try {
      action();
    } catch (const UsageError& error) {
      for (const auto& line : error.lines()) {
        problems.push_back(flag + line);
      }
    } catch (const Error& error) {
      problems.push_back(flag + std::string(error.what()));
    }
  };
  SettingNames given;
  SettingNames unread;
  apply_options(typed, rows, config, given, unread, problems);
  plan.file = config.encoder;
  const auto folder = run_folder_of(config.encoder);
  if (is_folder(config.encoder)) {
    plan.file = RunDirectory(config.encoder).encoder();
  }
  if (folder) {
    attempt("--encoder ", [&] { take_run_settings(RunDirectory(*folder), given, config.common); });
  }
  for (auto& problem : find_row_problems(rows, config, unread)) {
    problems.push_back(std::move(problem));
  }
  plan.report = config.report;
  if (config.report.empty() && !plan.file.empty() && is_folder(std::filesystem::absolute(plan.file).parent_path())) {
    const std::string name = is_folder(config.encoder) ? "probe.json" : plan.file.stem().string() + ".probe.json";
    plan.report = plan.file.parent_path() / name;
  }
  for (auto& problem : find_unwritable(plan, rows)) {
    problems.push_back(std::move(problem));
  }
  bool loaded = false;
  if (!config.encoder.empty()) {
    attempt("--encoder ", [&] {
      plan.encoder = load_encoder(plan.file);
      loaded = true;
    });
  }
  const bool is_a_file = loaded || std::filesystem::path(config.encoder).extension() == ".pth";
  if (is_a_file && !given.contains("dataset_name") && !folder) {
    problems.emplace_back("--dataset_name: must be given where --encoder names no run");
  }
  if (config.common.max_images > 0 && config.split == "test") {
    problems.emplace_back(
        "--max_images with --split test: it limits training images, and the test split is always whole");
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
  try {
    return find_dataset(request_of(config, split));
  } catch (const UsageError&) {
    throw;
  } catch (const Error& error) {
    throw UsageError(error.what());
  }
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
  const std::string side = std::to_string(image_size(plan.config.common));
  log.info("encoder: " + plan.encoder.name + (cifar_stem ? " (CIFAR stem)" : "") + " of " + plan.file.string() +
           ", images of " + plan.config.common.dataset_name + " at " + side + "x" + side);
}

EvalWatch::EvalWatch(const EvalPlan& plan, Log& log)
    : log_(log),
      bad_images_({}, plan.config.common.max_bad_images, [&log](const std::string& line) { log.warning(line); }) {}

Watch EvalWatch::of(const std::string& what) {
  return {stop_requested, [this, what](const std::string& where) { log_.progress(what + ", " + where); },
          [this](const BadImage& image) { bad_images_.add(image); }};
}

}  // namespace relic
