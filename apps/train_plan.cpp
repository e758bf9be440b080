#include "train_plan.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>

#include "relic/core/error.h"
#include "relic/core/text.h"
#include "relic/formats/pth.h"
#include "relic/train/settings.h"
#include "relic/train/trainer.h"

namespace relic {

DatasetRequest request_of(const TrainConfig& config, Split split) {
  return {config.dataset_name, config.dataset_path, split, split == Split::train ? config.max_images : 0, config.seed};
}

TrainConfig recorded_config(const Checkpoint& checkpoint, const RunDirectory& run) {
  TrainConfig config;
  GivenSettings given;
  apply_settings(checkpoint.settings, run.checkpoint().string(), config, given);
  return config;
}

namespace {

/// Under --resume: the run's last state, and its settings for every flag that was not given.
std::optional<Checkpoint> read_run(const RunDirectory& run, TrainConfig& config, GivenSettings given) {
  if (run.has_checkpoint()) {
    auto checkpoint = read_checkpoint(run.checkpoint());
    apply_settings(checkpoint.settings, run.checkpoint().string(), config, given);
    if (!given.contains("dataset_path")) {
      config.dataset_path = checkpoint.dataset_path;
    }
    return checkpoint;
  }
  if (run.holds_weights_only()) {
    throw UsageError("--resume: " + run.folder().string() +
                     " holds weights but no checkpoint.pth to go on from; --ckpt_path " + run.model().string() +
                     " --overwrite starts a new run from these weights");
  }
  std::error_code ignored;
  if (std::filesystem::exists(run.settings(), ignored)) {  // stopped before its first save
    apply_settings_file(run.settings(), config, given);
  }
  return std::nullopt;
}

/// Settings that a checkpoint's tensors and counters only make sense with.
void require_same_training(const Plan& plan, const RunDirectory& run) {
  const auto& checkpoint = *plan.start.checkpoint;
  const auto recorded = recorded_config(checkpoint, run);
  std::vector<std::string> problems;
  for (const auto& name : {"dataset_name", "encoder_model_name", "stem", "batch_size", "max_images", "proj_out_dim",
                           "proj_hidden_dim", "use_siglip", "num_global_views", "num_local_views", "seed", "compat"}) {
    const auto& setting = *find_setting(name);
    if (setting.get(recorded) != setting.get(plan.config)) {
      problems.push_back("--resume with --" + setting.name + " " + setting.get(plan.config) + ": the run in " +
                         run.folder().string() + " was started with " + setting.get(recorded) +
                         "; leave the flag out, or start anew in another directory");
    }
  }
  if (problems.empty() && checkpoint.dataset_size != plan.images) {
    problems.push_back("--resume: the data set holds " + std::to_string(plan.images) +
                       " images, the run was started on " + std::to_string(checkpoint.dataset_size));
  }
  require_no_problems(problems);
}

/// Whether these settings are well-formed, so that what depends on them can be tried.
bool sound(const TrainConfig& config, std::initializer_list<const char*> names) {
  return std::ranges::all_of(names,
                             [&config](const char* name) { return find_setting(name)->problem(config).empty(); });
}

}  // namespace

Plan make_plan(const CommandLine& line, const RunDirectory& run) {
  Plan plan{line.config, {}, 0, {}};
  if (plan.config.resume) {
    plan.start.checkpoint = read_run(run, plan.config, line.given);
  }
  std::vector<std::string> problems = line.problems;
  for (auto& problem : find_problems(plan.config)) {
    problems.push_back(std::move(problem));
  }
  const auto attempt = [&problems](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      if (std::ranges::find(problems, error.what()) == problems.end()) {
        problems.emplace_back(error.what());
      }
    }
  };
  if (sound(plan.config, {"device", "precision", "num_threads", "num_workers"})) {
    attempt([&] { plan.runtime = choose_runtime(plan.config); });
  }
  if (sound(plan.config, {"dataset_name", "max_images"})) {
    attempt([&] { plan.images = count_images(request_of(plan.config, Split::train)); });
  }
  if (plan.images > 0 && plan.config.batch_size > plan.images) {
    problems.push_back("--batch_size " + std::to_string(plan.config.batch_size) + ": larger than the data set (" +
                       std::to_string(plan.images) + " images)");
  }
  if (!plan.config.dry_run && !plan.config.resume && !plan.config.overwrite) {
    attempt([&] { run.require_free(); });
  }
  require_no_problems(problems);
  if (plan.start.checkpoint) {
    require_same_training(plan, run);
  } else if (!plan.config.ckpt_path.empty()) {
    plan.start.weights = read_state_dict(plan.config.ckpt_path);
  }
  return plan;
}

namespace {

std::string model_text(const Relic& relic, const TrainConfig& config) {
  std::int64_t trained = 0;
  for (const auto& parameter : relic.trained_parameters()) {
    trained += parameter.numel();
  }
  return config.encoder_model_name + (relic_options(config).stem == Stem::cifar ? " (CIFAR stem)" : "") + ", " +
         fixed(static_cast<double>(trained) / 1e6, 2) + " M trained parameters, projector " +
         std::to_string(config.proj_hidden_dim) + " to " + std::to_string(config.proj_out_dim) + ", " +
         (config.use_siglip ? "SigLIP" : "ReLIC") + " loss";
}

std::string views_text(const TrainConfig& config) {
  const auto spec = view_options(config);
  const auto side = [](int size) { return std::to_string(size) + "x" + std::to_string(size); };
  std::string text = std::to_string(spec.global_count) + " global " + side(spec.global.size);
  if (spec.local_count > 0) {
    text += " and " + std::to_string(spec.local_count) + " local " + side(spec.local.size);
  }
  return text;
}

}  // namespace

std::vector<std::string> plan_text(const Plan& plan, const Relic& relic) {
  const auto& config = plan.config;
  const auto steps = plan.images / config.batch_size;
  const auto& info = dataset_info(config.dataset_name);
  return {"data: " + std::to_string(plan.images) + " images of " + info.name +
              (info.synthetic ? " (synthetic, drawn images)" : "") + ", views " + views_text(config),
          "model: " + model_text(relic, config),
          "steps: " + std::to_string(steps) + " per epoch of " + std::to_string(config.batch_size) + " images, " +
              std::to_string(config.num_epochs) + " epochs, " + std::to_string(steps * config.num_epochs) + " in all",
          "runs on " + plan.runtime.device.str() + " in " + precision_text(plan.runtime) + ", " +
              std::to_string(plan.runtime.compute_threads) + " compute threads, " +
              std::to_string(plan.runtime.view_workers) + " view workers"};
}

}  // namespace relic
