#include "train_command.h"

#include <torch/torch.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "disk_text.h"
#include "dry_run_text.h"
#include "error_text.h"
#include "fetch_dataset.h"
#include "memory_text.h"
#include "print.h"
#include "probe_report.h"
#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/core/folder_lock.h"
#include "relic/core/log.h"
#include "relic/core/text.h"
#include "relic/data/bad_images.h"
#include "relic/data/dataset.h"
#include "relic/run/run_directory.h"
#include "relic/train/evaluation.h"
#include "relic/train/final_scores.h"
#include "relic/train/options.h"
#include "relic/train/settings.h"
#include "relic/train/settings_file.h"
#include "relic/train/trainer.h"
#include "relic/views/view_source.h"
#include "resume_text.h"
#include "stop_signal.h"
#include "train_plan.h"

namespace relic {

namespace {

/// Where the log goes, by the value of --log_file.
std::filesystem::path log_file(const std::filesystem::path& named, const RunDirectory& run) {
  return named.empty() ? run.log() : named;
}

void log_start(const Plan& plan, Trainer& trainer, const RunDirectory& run, Log& log) {
  log.debug("process " + std::to_string(::getpid()) + ", " + plan.runtime.machine + ", " + plan.runtime.build);
  for (const auto& warning : plan.runtime.warnings) {
    log.warning(warning);
  }
  if (const auto warning = disk_warning(plan, trainer.relic(), run); !warning.empty()) {
    log.warning(warning);
  }
  for (const auto& line : damage_text(plan)) {
    log.warning(line);
  }
  for (const auto& line : plan_text(plan, trainer.relic())) {
    log.info(line);
  }
  for (const auto& note : plan.runtime.notes) {
    log.info(note);
  }
  if (plan.start.checkpoint() != nullptr) {
    for (const auto& line : resume_text(plan, run)) {
      log.info(line);
    }
  } else if (plan.config.resume) {
    log.warning(nothing_to_resume(run));
  } else if (!plan.config.ckpt_path.empty()) {
    log.info("starting from the weights of " + plan.config.ckpt_path.string());
  }
  if (!plan.config.use_siglip) {
    log.info("a loss of " + fixed(std::log(static_cast<double>(plan.config.batch_size)), 2) +
             " (the log of the batch size) is chance");
  }
}

struct Images {
  std::unique_ptr<Dataset> pretraining;
  std::unique_ptr<Dataset> train;  // null: the labelled images are those
  std::unique_ptr<Dataset> test;   // null: there are no labels
};

/// All of them before the training, so that their faults come before it.
Images open_images(const Plan& plan) {
  Images images{plan.images.open(), nullptr, nullptr};
  if (plan.train_split) {
    images.train = plan.train_split->open();
  }
  if (plan.test_split) {
    images.test = plan.test_split->open();
  }
  return images;
}

using LeaveOut = std::function<void(const BadImage&)>;

/// The labelled training images; null: there are none.
const Dataset* labelled_images(const Images& images) {
  return !images.test ? nullptr : images.train ? images.train.get() : images.pretraining.get();
}

void report_scores(const Plan& plan, const Images& images, Trainer& trainer, const RunDirectory& run,
                   const LeaveOut& leave_out, Log& log) {
  const Dataset& train = *labelled_images(images);
  const Dataset& test = *images.test;
  const auto watch = [&](const std::string& encoder) {
    return Watch{stop_requested,
                 [encoder, &log](const std::string& at) { log.progress("scoring the " + encoder + " encoder: " + at); },
                 leave_out};
  };
  using Clock = std::chrono::steady_clock;
  log.info("scoring the untrained encoder on " + std::to_string(train.size()) + " training and " +
           std::to_string(test.size()) + " test images, then the trained one (--no_scores leaves this out)");
  const auto began = Clock::now();
  const auto before = score_untrained(train, test, plan.config, plan.runtime, watch("untrained"));
  log.info("scoring the trained encoder; the other took " +
           duration_text(std::chrono::duration<double>(Clock::now() - began).count()));
  const auto after =
      score_encoder(trainer.relic().target().encoder(), train, test, plan.config, plan.runtime, watch("trained"));
  log.progress("");
  for (const auto& line : score_table(before, after, plan.config, plan.test_split->classes)) {
    log.info(line);
  }
  write_file(run.scores(), probe_json(after, {.file = run.encoder().string(),
                                              .network = plan.config.encoder_model_name,
                                              .step = trainer.steps_done(),
                                              .dataset = plan.config.dataset_name,
                                              .image_size = image_size(plan.config),
                                              .classes = train.class_names(),
                                              .options = {.seed = plan.config.seed}}));
  trainer.record_test_scores(after.linear.top1, after.neighbours.top1);
  log.info("each class's scores are in " + run.scores().string());
}

/// Whether the held-out images of a resumed run are not those that its best encoder was chosen by. `others`: see
/// other_images.
bool chosen_by_other_images(const Plan& plan, const std::string& others) {
  const auto& recorded = plan.start.recorded;
  const auto& config = plan.config;
  return !others.empty() || plan.start.checkpoint()->dataset_size != plan.images.size ||
         recorded.dataset_name != config.dataset_name || recorded.max_images != config.max_images ||
         recorded.seed != config.seed || image_size(recorded) != image_size(config);
}

/// Its score cannot be compared with those to come.
void forget_best_encoder(Trainer& trainer, const RunDirectory& run, Log& log) {
  if (!trainer.not_derived().empty()) {
    throw Error(trainer.not_derived());
  }
  if (const auto kept = set_best_encoder_aside(run); !kept.empty()) {
    log.info("the best encoder so far was chosen by other held-out images: it is kept as " + kept.filename().string());
  }
  trainer.forget_best_encoder();
}

/// Prepares the run's directory, in an order in which at every moment something whole lies there: what the run goes on
/// from, or, over an older run, this one's start.
void prepare_directory(const Plan& plan, Trainer& trainer, const RunDirectory& run) {
  run.remove_leftovers();
  if (const Checkpoint* const checkpoint = plan.start.checkpoint()) {
    remove_kept_after(run, checkpoint->progress.step);
    write_settings_file(run.settings(), plan.config);  // a folder that nothing can be written to is told by this
    trainer.write_derived_files_of(*checkpoint);
  } else {
    trainer.save_start();
    remove_kept_checkpoints(run, 0);  // the older run's: whole ones of its own until this one's start lies there
    std::vector<std::filesystem::path> older{run.bad_images(), run.best_encoder(), run.scores(), run.not_finite()};
    std::ranges::copy(run.set_aside(), std::back_inserter(older));
    std::ranges::copy(run.probe_reports(), std::back_inserter(older));
    for (const auto& file : older) {
      std::filesystem::remove(file);
    }
    cut_back(run.metrics(), 0);
    if (plan.config.log_file.empty()) {
      cut_back(run.log(), 0);
    }
    write_settings_file(run.settings(), plan.config);
  }
}

/// The scores at the end, where the run has none of them yet; the exit status.
int score_once(const Plan& plan, const Images& images, Trainer& trainer, const RunDirectory& run,
               const LeaveOut& leave_out, Log& log) {
  std::error_code ignored;
  if (trainer.has_test_scores() && std::filesystem::exists(run.scores(), ignored)) {
    log.info("its scores are in " + run.scores().string());
    return 0;
  }
  try {
    report_scores(plan, images, trainer, run, leave_out, log);
  } catch (const Interrupted&) {
    log.progress("");
    log.info("scoring was interrupted; the training is whole and saved, and --resume scores it again");
    return stop_status();
  }
  return 0;
}

/// Gives the trainer what the run starts from, and the directory what that takes. Whether the run is done already.
bool begin(const Plan& plan, const std::string& others, Trainer& trainer, const RunDirectory& run, Log& log) {
  if (plan.start.newest) {
    set_damaged_aside(*plan.start.newest, run);
    trainer.resume(plan.start.newest->checkpoint);
  } else if (!plan.start.weights.empty()) {
    trainer.load_weights(plan.start.weights, plan.config.ckpt_path.string());
  }
  const bool already_done = plan.start.newest && trainer.steps_done() >= trainer.last_step();
  if (already_done) {
    trainer.write_derived_files_of(plan.start.newest->checkpoint);  // its last save may have been without them
  } else {
    prepare_directory(plan, trainer, run);
  }
  if (plan.start.newest && chosen_by_other_images(plan, others)) {
    forget_best_encoder(trainer, run, log);
  }
  return already_done;
}

/// From where the run begins to its scores; the exit status.
int train_and_score(const Plan& plan, const Images& images, Trainer& trainer, const RunDirectory& run,
                    bool already_done, const LeaveOut& leave_out, Log& log) {
  const auto& config = plan.config;
  std::optional<Evaluator> evaluator;
  if (!config.no_scores) {
    const auto tell = [&log](const std::string& at) { log.progress("evaluating: " + at); };
    evaluator.emplace(config, plan.runtime, *images.pretraining, labelled_images(images),
                      Watch{stop_requested, tell, leave_out});
    trainer.evaluate_with(*evaluator);
  }
  if (config.profile > 0) {
    trainer.profile(config.profile);
  }

  const auto all_steps = trainer.steps_per_epoch() * config.num_epochs;
  if (already_done) {
    const bool early = trainer.last_step() < all_steps;
    const std::string done =
        std::to_string(trainer.steps_done()) + " of " + std::to_string(all_steps) + " steps are done";
    log.info(early ? "no step is left: " + done + ", as --max_steps has it; a larger one, or none, goes on"
                   : "this run is finished: " + done + "; a larger --num_epochs goes on");
  }
  // One that is finished lacks its last evaluation, where that was interrupted.
  if (trainer.run(stop_requested) == Trainer::Outcome::interrupted) {
    log.info("interrupted by " + stop_name() + ": step " + std::to_string(trainer.steps_done()) + " is saved in " +
             run.folder().string() + "; --resume goes on from it (exit status " + std::to_string(stop_status()) + ")");
    return stop_status();
  }
  if (!already_done && trainer.steps_done() < all_steps) {
    log.info("stopped by --max_steps after step " + std::to_string(trainer.steps_done()) + " of " +
             std::to_string(all_steps) + "; --resume without it, or with a larger one, goes on");
  }
  if (trainer.not_derived().empty()) {
    log.info("saved " + run.model().string() + " and " + run.encoder().string());
    if (trainer.best_step() > 0) {
      log.info("the best encoder on held-out images, that of step " + std::to_string(trainer.best_step()) + ", is " +
               run.best_encoder().filename().string());
    }
  }
  const int status = config.no_scores || !images.test ? 0 : score_once(plan, images, trainer, run, leave_out, log);
  if (status == 0 && !trainer.not_derived().empty()) {
    throw Error("the checkpoint is saved, but " + trainer.not_derived() + "; --resume tries again");
  }
  return status;
}

int train(const Plan& plan, const RunDirectory& run, bool locked) {
  const auto& config = plan.config;
  const Images images = open_images(plan);
  Log log(console_level(config));
  std::optional<BadImages> bad_images;
  const auto leave_out = [&bad_images](const BadImage& image) { bad_images->add(image); };
  Trainer trainer(config, plan.runtime, *images.pretraining, run, log, leave_out);
  const std::string others = require_same_images(plan, trainer.dataset_fingerprint());
  const std::string replaced = config.overwrite ? run.names_of_files() : "";
  log.open_file(log_file(config.log_file, run));
  try {
    const bool already_done = begin(plan, others, trainer, run, log);
    bad_images.emplace(run.bad_images(), config.max_bad_images, [&log](const std::string& line) { log.warning(line); });
    log_start(plan, trainer, run, log);
    if (!replaced.empty()) {
      log.info(in_place_of(replaced));
    }
    if (!locked) {
      log.warning("the file system of " + run.folder().string() +
                  " knows no locks (flock): see to it yourself that no second process trains there");
    }
    if (!others.empty()) {
      log.info(others);
    }
    return train_and_score(plan, images, trainer, run, already_done, leave_out, log);
  } catch (const std::exception& error) {
    log.note(error_text(error));
    throw;
  }
}

/// Trains as the only process in the run's directory.
int train_alone(const CommandLine& line, const RunDirectory& run) {
  // What is there is read under the lock; a directory that is not there yet is made once all else is found to be right.
  std::optional<FolderLock> lock;
  const auto take_lock = [&] {
    run.create();
    lock.emplace(run.folder(), RunDirectory::kLockName);
  };
  if (run.exists()) {
    take_lock();
  }
  const Plan plan = make_plan(line, run);
  if (!lock) {
    take_lock();
    run.require_free();
  }
  at::set_num_threads(plan.runtime.compute_threads);
  if (plan.config.deterministic && !plan.runtime.device.is_cpu()) {
    compute_deterministically();
  }
  if (plan.config.tf32 == "off") {
    at::globalContext().setAllowTF32CuDNN(false);  // in scores, too
  }
  try {
    return train(plan, run, lock->held());
  } catch (const std::exception& error) {
    if (plan.runtime.device.is_cpu() || !is_out_of_gpu_memory(error)) {
      throw;
    }
    throw Error(too_little_gpu_memory(plan));
  }
}

}  // namespace

int run_training(const CommandLine& line) {
  const RunDirectory run(line.config.save_model_dir);
  try {
    if (line.config.dry_run) {
      print(dry_run_text(make_plan(line, run), run));
      return 0;
    }
    catch_stop_signals();
    return train_alone(line, run);
  } catch (const Interrupted&) {
    return stop_status();
  }
}

}  // namespace relic
