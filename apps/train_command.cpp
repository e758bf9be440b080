#include "train_command.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/core/log.h"
#include "relic/core/text.h"
#include "relic/data/dataset.h"
#include "relic/formats/pth.h"
#include "relic/train/final_scores.h"
#include "relic/train/memory.h"
#include "relic/train/run_directory.h"
#include "relic/train/runtime.h"
#include "relic/train/settings.h"
#include "relic/train/trainer.h"
#include "stop_signal.h"

namespace relic {

namespace {

DatasetRequest request_of(const TrainConfig& config, Split split) {
  return {config.dataset_name, config.dataset_path, split, split == Split::train ? config.max_images : 0, config.seed};
}

/// Under --resume: what the run recorded, for every setting that was not given.
void apply_recorded_settings(const RunDirectory& run, TrainConfig& config, GivenSettings given) {
  std::error_code ignored;
  if (std::filesystem::exists(run.settings(), ignored)) {
    apply_settings_file(run.settings(), config, given);
  }
}

TrainConfig recorded_config(const Checkpoint& checkpoint, const RunDirectory& run) {
  TrainConfig config;
  GivenSettings given;
  apply_settings(checkpoint.settings, run.checkpoint().string(), config, given);
  return config;
}

struct Plan {
  TrainConfig config;
  Runtime runtime;
  std::int64_t images = 0;
};

/// Everything that can be told to be wrong before an image is decoded, all at once.
Plan make_plan(const CommandLine& line, const RunDirectory& run) {
  Plan plan{line.config, {}, 0};
  if (plan.config.resume) {
    apply_recorded_settings(run, plan.config, line.given);
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
  if (problems.empty()) {
    attempt([&] { plan.runtime = choose_runtime(plan.config); });
    attempt([&] { plan.images = count_images(request_of(plan.config, Split::train)); });
    if (plan.images > 0 && plan.config.batch_size > plan.images) {
      problems.push_back("--batch_size " + std::to_string(plan.config.batch_size) + ": larger than the data set (" +
                         std::to_string(plan.images) + " images)");
    }
    if (!plan.config.dry_run && !plan.config.resume && !plan.config.overwrite) {
      attempt([&] { run.require_free(); });
    }
  }
  require_no_problems(problems);
  return plan;
}

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

int dry_run(const Plan& plan) {
  const auto relic = initial_relic(plan.config, torch::kCPU);
  const auto need = measure_memory_need(*relic, view_options(plan.config), plan.config.batch_size,
                                        forward_options(plan.config, plan.runtime));
  std::cout << settings_toml(plan.config) << '\n';
  for (const auto& line : plan_text(plan, *relic)) {
    std::cout << line << '\n';
  }
  std::cout << "memory: about " << bytes_text(need.total()) << " (weights and optimizer " << bytes_text(need.state)
            << ", activations " << bytes_text(need.activations) << ", views " << bytes_text(need.views)
            << "), besides the data set and the program\n"
            << std::flush;
  return 0;
}

/// Settings that a checkpoint's tensors and counters only make sense with.
void require_same_training(const Checkpoint& checkpoint, const Plan& plan, const RunDirectory& run) {
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

/// Weights and state read before anything in the run's directory is replaced.
struct Start {
  std::optional<Checkpoint> checkpoint;  // --resume
  StateDict weights;                     // --ckpt_path
};

Start read_start(const Plan& plan, const RunDirectory& run) {
  Start start;
  if (plan.config.resume && run.has_checkpoint()) {
    start.checkpoint = read_checkpoint(run.checkpoint());
    require_same_training(*start.checkpoint, plan, run);
  } else {
    if (plan.config.resume && run.holds_weights_only()) {
      throw UsageError("--resume: " + run.folder().string() +
                       " holds weights but no checkpoint.pth to go on from; --ckpt_path " + run.model().string() +
                       " --overwrite starts a new run from these weights");
    }
    if (!plan.config.ckpt_path.empty()) {
      start.weights = read_state_dict(plan.config.ckpt_path);
    }
  }
  return start;
}

void log_start(const Plan& plan, const Start& start, Trainer& trainer, const RunDirectory& run, Log& log) {
  for (const auto& warning : plan.runtime.warnings) {
    log.warning(warning);
  }
  for (const auto& line : plan_text(plan, trainer.relic())) {
    log.info(line);
  }
  for (const auto& note : plan.runtime.notes) {
    log.info(note);
  }
  if (start.checkpoint) {
    log.info("resuming " + run.folder().string() + " at step " + std::to_string(trainer.steps_done()) + " of " +
             std::to_string(trainer.last_step()));
    const auto recorded = recorded_config(*start.checkpoint, run);
    if (recorded.num_epochs != plan.config.num_epochs) {
      log.info("num_epochs was " + std::to_string(recorded.num_epochs) + " and is " +
               std::to_string(plan.config.num_epochs) + " now: the target's decay goes on over the new length");
    }
  } else if (plan.config.resume) {
    log.info("nothing to resume in " + run.folder().string() + ": starting anew");
  } else if (!plan.config.ckpt_path.empty()) {
    log.info("starting from the weights of " + plan.config.ckpt_path.string());
  }
  if (!plan.config.use_siglip) {
    log.info("a loss of " + fixed(std::log(static_cast<double>(plan.config.batch_size)), 2) +
             " (the log of the batch size) is chance");
  }
}

void report_scores(const Plan& plan, const Dataset& train, Relic& relic, Log& log) {
  log.info("scoring the untrained and the trained encoder");
  const auto test = open_dataset(request_of(plan.config, Split::test));
  const auto untrained = initial_relic(plan.config, plan.runtime.device);
  const auto score = [&](Relic& model) {
    return score_encoder(model.target().encoder(), train, *test, plan.config, plan.runtime, stop_requested);
  };
  const auto before = score(*untrained);
  const auto after = score(relic);
  for (const auto& line : score_table(before, after, plan.config, test->size())) {
    log.info(line);
  }
}

/// Prepares the run's directory: nothing of an older run is touched before this point.
void prepare_directory(const Plan& plan, const Start& start, const RunDirectory& run) {
  run.create();
  if (start.checkpoint) {
    run.cut_log_back(start.checkpoint->progress.log_bytes);
    write_model_files(*start.checkpoint, run);
  } else if (plan.config.overwrite || plan.config.resume) {
    run.remove_run();
  }
  write_settings_file(run.settings(), plan.config);
}

int train(const Plan& plan, const RunDirectory& run) {
  const auto& config = plan.config;
  const auto start = read_start(plan, run);
  const auto dataset = open_dataset(request_of(config, Split::train));
  prepare_directory(plan, start, run);

  Log log(config.quiet ? LogLevel::warning : config.verbose ? LogLevel::debug : LogLevel::info);
  log.open_file(config.log_file.empty() ? run.log() : config.log_file);
  Trainer trainer(config, plan.runtime, *dataset, run, log);
  if (start.checkpoint) {
    trainer.resume(*start.checkpoint);
  } else if (!start.weights.empty()) {
    trainer.load_weights(start.weights, config.ckpt_path.string());
  }
  log_start(plan, start, trainer, run, log);

  const bool already_done = start.checkpoint && trainer.steps_done() >= trainer.last_step();
  if (already_done) {
    log.info("this run is finished: " + std::to_string(trainer.steps_done()) +
             " steps are done; a larger --num_epochs goes on");
  } else if (trainer.run(stop_requested) == Trainer::Outcome::interrupted) {
    log.info("interrupted: step " + std::to_string(trainer.steps_done()) + " is saved in " + run.folder().string() +
             "; --resume goes on from it");
    return stop_status();
  }
  log.info("saved " + run.model().string() + " and " + run.encoder().string());
  report_scores(plan, *dataset, trainer.relic(), log);
  return 0;
}

}  // namespace

int run_training(const CommandLine& line) {
  const RunDirectory run(line.config.save_model_dir);
  const Plan plan = make_plan(line, run);
  at::set_num_threads(plan.runtime.compute_threads);
  if (plan.config.dry_run) {
    return dry_run(plan);
  }
  catch_stop_signals();
  try {
    return train(plan, run);
  } catch (const Interrupted&) {
    return stop_status();
  }
}

}  // namespace relic
