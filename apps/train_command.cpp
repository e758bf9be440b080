#include "train_command.h"

#include <torch/torch.h>

#include <cmath>
#include <iostream>

#include "relic/core/error.h"
#include "relic/core/log.h"
#include "relic/core/text.h"
#include "relic/data/dataset.h"
#include "relic/train/final_scores.h"
#include "relic/train/memory.h"
#include "relic/train/run_directory.h"
#include "relic/train/settings_file.h"
#include "relic/train/trainer.h"
#include "stop_signal.h"
#include "train_plan.h"

namespace relic {

namespace {

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

void log_start(const Plan& plan, Trainer& trainer, const RunDirectory& run, Log& log) {
  for (const auto& warning : plan.runtime.warnings) {
    log.warning(warning);
  }
  for (const auto& line : plan_text(plan, trainer.relic())) {
    log.info(line);
  }
  for (const auto& note : plan.runtime.notes) {
    log.info(note);
  }
  if (plan.start.checkpoint) {
    log.info("resuming " + run.folder().string() + " at step " + std::to_string(trainer.steps_done()) + " of " +
             std::to_string(trainer.last_step()));
    const auto recorded = recorded_config(*plan.start.checkpoint, run);
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
void prepare_directory(const Plan& plan, const RunDirectory& run) {
  run.create();
  if (plan.start.checkpoint) {
    run.cut_log_back(plan.start.checkpoint->progress.log_bytes);
    write_model_files(*plan.start.checkpoint, run);
  } else if (plan.config.overwrite || plan.config.resume) {
    run.remove_run();
  }
  write_settings_file(run.settings(), plan.config);
}

int train(const Plan& plan, const RunDirectory& run) {
  const auto& config = plan.config;
  const auto dataset = open_dataset(request_of(config, Split::train));
  Log log(config.quiet ? LogLevel::warning : config.verbose ? LogLevel::debug : LogLevel::info);
  Trainer trainer(config, plan.runtime, *dataset, run, log);
  // Weights that do not fit are found out before --overwrite removes anything.
  if (plan.start.checkpoint) {
    trainer.resume(*plan.start.checkpoint);
  } else if (!plan.start.weights.empty()) {
    trainer.load_weights(plan.start.weights, config.ckpt_path.string());
  }
  prepare_directory(plan, run);
  log.open_file(config.log_file.empty() ? run.log() : config.log_file);
  log_start(plan, trainer, run, log);

  const bool already_done = plan.start.checkpoint && trainer.steps_done() >= trainer.last_step();
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
