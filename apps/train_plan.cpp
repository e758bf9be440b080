#include "train_plan.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <initializer_list>

#include "fetch_dataset.h"
#include "initial_weights.h"
#include "print.h"
#include "relic/core/error.h"
#include "relic/core/text.h"
#include "relic/train/options.h"
#include "relic/train/settings.h"
#include "version.h"

namespace relic {

DatasetRequest request_of(const TrainConfig& config, Split split) {
  return {config.dataset_name, config.dataset_path, split, split == Split::test ? 0 : config.max_images, config.seed};
}

namespace {

NewestCheckpoint read_newest_or_advise(const RunDirectory& run) {
  try {
    return read_newest_checkpoint(run);
  } catch (const DamagedCheckpoint& error) {
    std::error_code ignored;
    if (!std::filesystem::exists(run.model(), ignored)) {
      throw UsageError(error.what());
    }
    const bool has_settings = std::filesystem::exists(run.settings(), ignored);
    throw UsageError(std::string(error.what()) + "; -save_model_dir " + run.folder().string() +
                     (has_settings ? " --config " + run.settings().string() : "") + " --ckpt_path " +
                     run.model().string() + " --overwrite starts a new run from the weights of its last save");
  }
}

/// Under --resume: the run's last state and settings, which go into `config` for every flag that was not given.
Start read_run(const RunDirectory& run, TrainConfig& config, GivenSettings given) {
  run.require_checkpoint_or_nothing();
  if (!run.has_checkpoint()) {
    return {};
  }
  Start start{read_newest_or_advise(run), {}, {}};
  const auto& checkpoint = start.newest->checkpoint;
  const std::string file = start.newest->file.string();
  GivenSettings none;
  apply_settings(checkpoint.settings, file, start.recorded, none);
  apply_settings(checkpoint.settings, file, config, given);
  if (!given.contains("dataset_path")) {
    config.dataset_path = checkpoint.dataset_path;
  }
  if (!given.contains("log_file")) {
    config.log_file = checkpoint.log_file;
  }
  return start;
}

/// "with --seed 7", "without --compat"
std::string with_value(const Setting& setting, const TrainConfig& config) {
  const std::string value = setting.get(config);
  return value.empty() ? "without --" + setting.name : "with --" + setting.name + " " + value;
}

/// What is asked for against the settings that a checkpoint's tensors, or its counters, only make sense with. --force
/// waives the latter.
std::vector<std::string> find_differences(const Plan& plan, const SettingNames& unread, const RunDirectory& run) {
  const auto& recorded = plan.start.recorded;
  std::vector<std::string> problems;
  const auto compare = [&](std::initializer_list<const char*> names, const char* advice) {
    for (const auto& name : names) {
      const auto& setting = *find_setting(name);
      if (!unread.contains(name) && setting.get(recorded) != setting.get(plan.config)) {
        problems.push_back("--resume " + with_value(setting, plan.config) + ": the run in " + run.folder().string() +
                           " was started " + with_value(setting, recorded) + "; leave the flag out, " + advice);
      }
    }
  };
  const auto known = [&unread](const char* name) { return !unread.contains(name); };
  compare({"encoder_model_name", "proj_out_dim", "proj_hidden_dim"}, "or start anew in another directory");
  // What "auto" and 0 stand for counts, not the words.
  if (known("stem") && known("image_size") && known("dataset_name") &&
      relic_options(recorded).stem != relic_options(plan.config).stem) {
    const auto name = [](const TrainConfig& config) {
      return std::string(relic_options(config).stem == Stem::cifar ? "cifar" : "imagenet");
    };
    problems.push_back("--resume with the stem " + name(plan.config) + " (--stem " + plan.config.stem +
                       "): the run in " + run.folder().string() + " has the stem " + name(recorded) + "; use --stem " +
                       name(recorded));
  }
  if (plan.config.force) {
    return problems;
  }
  if (known("image_size") && known("dataset_name") && image_size(recorded) != image_size(plan.config)) {
    problems.push_back("--resume with --image_size " + std::to_string(image_size(plan.config)) + ": the run in " +
                       run.folder().string() + " was started with --image_size " +
                       std::to_string(image_size(recorded)) +
                       "; leave the flag out, start anew in another directory, or --force it");
  }
  compare({"dataset_name", "batch_size", "max_images", "use_siglip", "alpha", "num_global_views", "num_local_views",
           "bn_per_view", "seed", "compat"},
          "start anew in another directory, or --force it");
  return problems;
}

/// Another number of images, where nothing else is wrong; unless --force waives it.
void compare_size(const Plan& plan, std::vector<std::string>& problems) {
  const auto before = plan.start.newest->checkpoint.dataset_size;
  if (problems.empty() && !plan.config.force && plan.images.size > 0 && before != plan.images.size) {
    problems.push_back("--resume: the data set holds " + std::to_string(plan.images.size) +
                       " images, the run was started on " + std::to_string(before) + "; --force goes on with these");
  }
}

/// Whether these settings are known and well-formed, so that what depends on them can be tried.
bool sound(const Plan& plan, const SettingNames& unread, std::initializer_list<const char*> names) {
  return std::ranges::all_of(names, [&](const char* name) {
    return !unread.contains(name) && find_setting(name)->problem(plan.config).empty();
  });
}

/// The log's folder is the user's to make, the run's own is made.
void require_log_folder(const TrainConfig& config, bool recorded) {
  if (config.log_file.empty()) {
    return;
  }
  std::error_code ignored;
  const auto folder = std::filesystem::absolute(config.log_file).parent_path();
  if (folder.lexically_normal() ==
      std::filesystem::absolute(config.save_model_dir / "").lexically_normal().parent_path()) {
    return;
  }
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw UsageError("--log_file " + config.log_file.string() + ": there is no folder " + folder.string() +
                     (recorded ? "; the run logs there: --log_file names another file, '' its own train.log" : ""));
  }
}

/// Does what may throw an Error, whose message joins the problems unless it is known.
void attempt(std::vector<std::string>& problems, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    if (std::ranges::find(problems, error.what()) == problems.end()) {
      problems.emplace_back(error.what());
    }
  }
}

/// Looks the images up; fetches them first where they are to be fetched, and where nothing else is wrong.
void find_images(Plan& plan, const SettingNames& unread, std::vector<std::string>& problems) {
  if (!sound(plan, unread, {"dataset_name", "dataset_path", "image_size", "max_images"})) {
    return;
  }
  if (is_to_be_fetched(plan.config)) {
    if (!problems.empty()) {
      return;
    }
    if (plan.config.resume && !plan.start.newest) {
      print(one_line("nothing to resume in " + plan.config.save_model_dir.string() + ": this will be a new run") +
            "\n");
    }
    fetch_dataset(plan.config);
  }
  attempt(problems, [&] { plan.images = find_dataset(request_of(plan.config, Split::pretraining)); });
  if (plan.images.classes > 0) {
    attempt(problems, [&] { plan.test_split = find_dataset(request_of(plan.config, Split::test)); });
  }
  if (plan.images.separate_labels) {
    attempt(problems, [&] { plan.train_split = find_dataset(request_of(plan.config, Split::train)); });
  }
  const auto& config = plan.config;
  const bool too_few_asked_for = config.max_images > 0 && config.max_images < config.batch_size;
  if (plan.images.size > 0 && !unread.contains("batch_size") && config.batch_size > plan.images.size &&
      !too_few_asked_for) {  // that is told already
    problems.push_back("--batch_size " + std::to_string(config.batch_size) + ": larger than the data set (" +
                       std::to_string(plan.images.size) + " images)");
  }
}

}  // namespace

Plan make_plan(const CommandLine& line, const RunDirectory& run) {
  Plan plan;
  plan.config = line.config;
  std::vector<std::string> problems = line.problems;
  if (plan.config.resume) {
    try {
      plan.start = read_run(run, plan.config, line.given);
    } catch (const UsageError& error) {  // what the run would have set is unknown, and so is what else is wrong
      problems.insert(problems.end(), error.lines().begin(), error.lines().end());
      require_no_problems(problems);
    }
  }
  for (auto& problem : find_problems(plan.config, line.unread)) {
    problems.push_back(std::move(problem));
  }
  const auto ready = [&](std::initializer_list<const char*> names) { return sound(plan, line.unread, names); };
  if (ready({"device", "precision", "num_threads", "num_workers"})) {
    attempt(problems, [&] { plan.runtime = choose_runtime(plan.config); });
    plan.runtime.build = build_text();
  }
  if (!plan.config.dry_run && !plan.config.resume && !plan.config.overwrite) {
    attempt(problems, [&] { run.require_free(); });
  }
  attempt(problems, [&] { plan.config.dry_run ? run.require_folder() : run.require_place(); });
  attempt(problems, [&] { require_log_folder(plan.config, plan.start.newest && !line.given.contains("log_file")); });
  if (!plan.start.newest && !plan.config.ckpt_path.empty() &&
      ready({"ckpt_path", "dataset_name", "encoder_model_name", "stem", "proj_hidden_dim", "proj_out_dim"})) {
    attempt(problems, [&] { plan.start.weights = read_initial_weights(plan.config); });
  }
  if (plan.start.newest) {
    for (auto& problem : find_differences(plan, line.unread, run)) {
      problems.push_back(std::move(problem));
    }
  }
  const auto known = problems.size();
  find_images(plan, line.unread, problems);
  if (plan.start.newest) {
    if (problems.size() > known && plan.images.size == 0 && !line.given.contains("dataset_path")) {
      problems.back() += "; the run was started there: --dataset_path names where the data set is now";
    }
    compare_size(plan, problems);
  }
  if (!problems.empty() && plan.config.resume && !plan.start.newest) {
    problems.insert(problems.begin(), "--resume: there is no run in " + run.folder().string() +
                                          " to go on with, and a new one cannot be started:");
  }
  require_no_problems(problems);
  return plan;
}

namespace {

std::string model_text(const Relic& relic, const TrainConfig& config) {
  std::int64_t trained = 0;
  for (const auto& parameter : relic.trained_parameters()) {
    trained += parameter.numel();
  }
  const bool cifar_stem = relic_options(config).stem == Stem::cifar && config.encoder_model_name != "efficientnet";
  return config.encoder_model_name + (cifar_stem ? " (CIFAR stem)" : "") + ", " +
         fixed(static_cast<double>(trained) / 1e6, 2) + " M trained parameters, projector " +
         std::to_string(config.proj_hidden_dim) + " to " + std::to_string(config.proj_out_dim) + ", " +
         (config.use_siglip ? "SigLIP" : "ReLIC") + " loss";
}

std::string counted(std::int64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

}  // namespace

std::string views_text(const TrainConfig& config) {
  const auto spec = view_options(config);
  const auto side = [](int size) { return std::to_string(size) + "x" + std::to_string(size); };
  std::string text = std::to_string(spec.global_count) + " global " + side(spec.global.size);
  if (spec.local_count > 0) {
    text += " and " + std::to_string(spec.local_count) + " local " + side(spec.local.size);
  }
  return text;
}

std::vector<std::string> plan_text(const Plan& plan, const Relic& relic) {
  const auto& config = plan.config;
  const auto steps = steps_per_epoch(plan);
  const auto all_steps = steps * config.num_epochs;
  const bool early = last_step(config, steps) < all_steps;
  const auto& info = dataset_info(config.dataset_name);
  return {"data: " + std::to_string(plan.images.size) + " images of " + info.name +
              (info.synthetic ? " (synthetic, drawn images)" : "") +
              (plan.images.note.empty() ? "" : " (" + plan.images.note + ")") + ", views " + views_text(config),
          "model: " + model_text(relic, config),
          "steps: " + std::to_string(steps) + " per epoch of " + std::to_string(config.batch_size) + " images, " +
              counted(config.num_epochs, "epoch") + ", " + std::to_string(all_steps) + " in all" +
              (early ? ", stopped after " + std::to_string(config.max_steps) + " by --max_steps" : ""),
          "runs on " + plan.runtime.device.str() + " in " + precision_text(plan.runtime) + ", " +
              counted(plan.runtime.compute_threads, "compute thread") + ", " +
              counted(plan.runtime.view_workers, "view worker")};
}

}  // namespace relic
