#include "relic/train/trainer.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/core/random.h"
#include "relic/core/text.h"
#include "relic/data/fingerprint.h"
#include "relic/data/sample_order.h"
#include "relic/nn/layer_watch.h"
#include "relic/nn/state_dict.h"
#include "relic/train/device_memory.h"
#include "relic/train/options.h"
#include "relic/train/settings_file.h"
#include "relic/train/snapshot.h"
#include "relic/views/view_source.h"
#include "train/failed_batch.h"
#include "train/graphed_step.h"
#include "train/online_update.h"
#include "train/own_stream.h"
#include "train/step_recorder.h"

namespace relic {

namespace {

constexpr std::int64_t kProfileWarmUp = 3;
constexpr std::int64_t kRecordingSteps = 2;  // the one in which a graph is recorded, and its first

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t profile_warm_up(const Runtime& runtime) {
  return runtime.graph == Runtime::Graph::off ? kProfileWarmUp : kProfileWarmUp + kRecordingSteps;
}

}  // namespace

Trainer::Trainer(TrainConfig config, Runtime runtime, const Dataset& dataset, RunDirectory run, Log& log,
                 std::function<void(const BadImage&)> left_out)
    : config_(std::move(config)),
      runtime_(std::move(runtime)),
      dataset_(dataset),
      run_(std::move(run)),
      log_(log),
      left_out_(std::move(left_out)),
      epochs_{dataset.size() / config_.batch_size},
      dataset_fingerprint_(fingerprint(dataset)),
      schedule_(config_.gamma, epochs_.steps, config_.num_epochs, config_.update_gamma_after_step,
                config_.update_gamma_every_n_steps),
      relic_(initial_relic(config_, runtime_.device)),
      online_(std::make_unique<OnlineUpdate>(
          config_, runtime_, *relic_,
          [this](const std::string& line) { log_.info("step " + std::to_string(progress_.step + 1) + ": " + line); })),
      queue_(runtime_.device),
      writer_(run_, config_.keep_checkpoints, log_) {}

Trainer::~Trainer() = default;

std::int64_t Trainer::last_step() const { return relic::last_step(config_, epochs_.steps); }

void Trainer::load_weights(const StateDict& weights, const std::string& where) {
  load_state_dict(*relic_, weights, where);
}

void Trainer::resume(const Checkpoint& checkpoint) {
  restore_checkpoint(checkpoint, *relic_, online_->adam(), online_->scaler(), run_.checkpoint().string());
  progress_ = checkpoint.progress;
  best_encoder_ = checkpoint.best_encoder;
  if (progress_.total_losses < 0) {
    progress_.total_losses = progress_.step;
    progress_.epoch_losses = progress_.step == 0 ? 0 : epochs_.position(progress_.step);
  }
  writer_.set_written(progress_.step);
  const auto table_bytes = static_cast<std::uint64_t>(progress_.metrics_bytes);
  std::error_code error;
  if (const auto size = std::filesystem::file_size(run_.metrics(), error); (error ? 0 : size) < table_bytes) {
    log_.warning(run_.metrics().string() + " is missing or cut short: it lacks rows of steps up to " +
                 std::to_string(progress_.step));
  }
  cut_back(run_.metrics(), table_bytes);
}

void Trainer::forget_best_encoder() {
  progress_.best_step = 0;
  progress_.best_score = 0;
  best_encoder_.clear();
}

std::unique_ptr<ViewSource> Trainer::open_views(std::int64_t last) {
  const auto reason = why_not_resident(dataset_, runtime_.device);
  if (!runtime_.device.is_cpu()) {
    log_.info(reason.empty() ? "the GPU holds the images and renders their views"
                             : "the CPU renders the views: " + reason);
  }
  const auto make = reason.empty() ? make_resident_view_source : make_cpu_view_source;
  return make(dataset_, view_options(config_),
              {.batch_size = config_.batch_size,
               .seed = config_.seed,
               .first_step = progress_.step,
               .last_step = last,
               .workers = runtime_.view_workers,
               .device = runtime_.device,
               .type = runtime_.autocast.value_or(torch::kFloat),
               .left_out = left_out_});
}

void Trainer::prepare_graph() {
  if (runtime_.graph == Runtime::Graph::off) {
    return;
  }
  std::function<void(const std::string&)> fall_back;
  if (runtime_.graph == Runtime::Graph::where_possible) {
    fall_back = [this](const std::string& reason) {
      log_.warning("a step cannot be recorded as a CUDA graph, and runs without: " + reason);
    };
  }
  graph_ = std::make_unique<GraphedStep>([this](const Views& views) { return online_->run(views, nullptr); },
                                         std::move(fall_back));
}

Trainer::Outcome Trainer::run(const std::function<bool()>& stop) {
  const auto last = last_step();
  recorder_ = std::make_unique<StepRecorder>(config_, epochs_, last, run_, online_->scaler(), progress_, log_);
  last_save_seconds_ = now_seconds();
  const OwnStream stream(runtime_.device);
  const auto source = open_views(last);
  prepare_graph();
  relic_->train();
  Outcome outcome = Outcome::finished;
  try {
    outcome = train(*source, last, stop);
  } catch (const FailedStep& failure) {
    stop_at(failure.step, failure.what());
  }
  log_.progress("");
  if (graph_) {  // its memory, gradients included, is for scores now
    graph_.reset();
    online_->adam().zero_grad();
  }
  if (const auto bytes = peak_device_bytes(runtime_.device); bytes > 0) {
    log_.info("the GPU's memory, at most: " + bytes_text(static_cast<double>(bytes)));
  }
  if (profile_) {
    profile_->begin_step(source->times());
    report_profile();
  }
  return outcome;
}

Trainer::Outcome Trainer::train(ViewSource& views, std::int64_t last, const std::function<bool()>& stop) {
  try {
    for (;;) {
      if (evaluation_is_due()) {
        enter(profile_.get(), StepPart::none);
        evaluate();
      }
      if (progress_.step >= last) {
        return Outcome::finished;
      }
      if (profile_) {
        profile_->begin_step(views.times());
        if (profile_->is_due()) {
          report_profile();
        }
      }
      train_step(views.next());
      enter(profile_.get(), StepPart::rest);
      const bool interrupted = stop();
      const bool ends = interrupted || progress_.step == last;
      if (ends) {
        enter(profile_.get(), StepPart::none);
      }
      after_step(ends);
      if (interrupted) {
        return Outcome::interrupted;
      }
    }
  } catch (const Interrupted&) {  // while it was evaluating, which a resumed run does first
    save(true);
    return Outcome::interrupted;
  }
}

void Trainer::profile(std::int64_t steps) {
  profile_ = std::make_unique<StepProfile>(runtime_.device, profile_warm_up(runtime_), steps);
}

void Trainer::report_profile() {
  const auto lines = profile_->report(config_.batch_size);
  if (lines.empty()) {
    log_.info("no steps to profile: the first " + std::to_string(profile_warm_up(runtime_)) +
              " warm up, and --max_steps or the run's end left no more");
  }
  for (const auto& line : lines) {
    log_.info(line);
  }
  profile_.reset();
}

bool Trainer::evaluation_is_due() const {
  const auto step = progress_.step;
  if (evaluator_ == nullptr || step == 0 || step == progress_.evaluated_step) {
    return false;
  }
  const auto every = config_.eval_every_n_steps < 0 ? 5 * config_.log_every_n_steps : config_.eval_every_n_steps;
  return step >= last_step() || (every > 0 && step % every == 0);
}

void Trainer::evaluate() {
  const auto step = progress_.step;
  log_.progress("evaluating step " + std::to_string(step));
  try {
    tell(evaluator_->evaluate(*relic_));
  } catch (const c10::LinAlgError& error) {  // of weights past use; the next loss tells, if it is so
    log_.progress("");
    log_.warning("step " + std::to_string(step) + " cannot be evaluated: " + one_line(error.what_without_backtrace()));
  }
  progress_.evaluated_step = step;
  if (step >= last_step()) {
    save(true);
  }
  recorder_->skip_time();
}

void Trainer::tell(const Evaluation& evaluation) {
  const auto step = progress_.step;
  log_.progress("");
  for (const auto& line : evaluation_text(evaluation)) {
    log_.info("step " + std::to_string(step) + ": " + line);
  }
  if (const auto warning = collapse_warning(evaluation.signs); !warning.empty()) {
    log_.warning("step " + std::to_string(step) + ": " + warning);
  }
  recorder_->record(step, evaluation);
  keep_if_best(evaluation);
}

void Trainer::keep_if_best(const Evaluation& evaluation) {
  if (!evaluation.held_out) {
    return;
  }
  const double score = evaluation.held_out->linear.value();
  if (progress_.best_step > 0 && score <= progress_.best_score) {
    return;
  }
  best_encoder_ = copy_to_cpu(state_dict(relic_->target().encoder()));
  progress_.best_step = progress_.step;
  progress_.best_score = score;
  log_.info("step " + std::to_string(progress_.step) + ": the best encoder so far, to be saved as " +
            run_.best_encoder().filename().string());
}

void Trainer::train_step(const Views& views) {
  const auto step = progress_.step;
  // Stochastic depth draws from torch's generator: seeded by the step, it needs no state in a checkpoint.
  torch::manual_seed(splitmix64(config_.seed + splitmix64(static_cast<std::uint64_t>(step))));
  if (graph_ && graph_->gave_up()) {
    graph_.reset();
  }
  if (graph_) {
    enter(profile_.get(), StepPart::recorded);
  }
  torch::Tensor measured;
  try {
    measured = graph_ ? graph_->run(views) : online_->run(views, profile_.get());
  } catch (const NotFinite& error) {
    throw FailedStep(step + 1, error.what());
  }

  enter(profile_.get(), StepPart::target_update);
  const auto update = schedule_.at(step);
  if (update.action != EmaSchedule::Action::none) {
    relic_->update_target(update.decay, online_->found_inf());
  }
  ++progress_.step;
  enter(profile_.get(), StepPart::rest);

  StepMetrics known;
  known.step = progress_.step;
  known.epoch = epochs_.of(progress_.step);
  known.gamma = schedule_.decay_before(progress_.step);
  known.learning_rate = config_.learning_rate;
  queue_.push(known, measured);
}

void Trainer::stop_at(std::int64_t step, const std::string& what) {
  const std::string happened = "step " + std::to_string(step) + ": " + what;
  std::string batch;
  try {
    SampleOrder order(dataset_.size(), config_.batch_size, config_.seed);
    write_failed_batch(run_.not_finite(), what, step, epochs_.of(step), order.batch(step - 1), dataset_);
    batch = "; its images are listed in " + run_.not_finite().string();
  } catch (const Error& error) {  // what happened is worse
    log_.warning(error.what());
  }
  throw Error(happened + batch + how_to_go_on());
}

std::string Trainer::how_to_go_on() {
  const auto saved = writer_.written_step();
  if (!saved) {
    return "; nothing is saved yet; try a smaller -lr";
  }
  return "; the last good state, step " + std::to_string(*saved) + ", stays saved in " + run_.folder().string() +
         "; --resume with a smaller -lr goes on from it" +
         (run_.kept_steps().empty() ? ""
                                    : ", or from " + run_.checkpoint_of(run_.kept_steps().front()).filename().string() +
                                          " renamed to checkpoint.pth") +
         (config_.detect_anomaly ? "" : ", --detect_anomaly names the layer");
}

void Trainer::after_step(bool ends) {
  const bool old = now_seconds() - last_save_seconds_ > config_.save_every_seconds;
  const bool saves = ends || old || progress_.step % config_.log_every_n_steps == 0;
  // What is saved or evaluated has no step in it whose loss is not known to be finite.
  recorder_->record(saves || evaluation_is_due() ? queue_.all() : queue_.arrived());
  writer_.poll();
  if (saves) {
    save(ends);
  }
}

void Trainer::record_test_scores(double linear, double neighbours) {
  const auto step = progress_.step;
  recorder_->record_test_scores(step, linear, neighbours);
  progress_.tested_step = step;
  save(true);
}

Checkpoint Trainer::checkpoint() {
  auto checkpoint = take_checkpoint(*relic_, online_->adam(), online_->scaler());
  checkpoint.settings = settings_toml(config_);
  checkpoint.dataset_path = std::filesystem::absolute(config_.dataset_path).string();
  checkpoint.dataset_size = dataset_.size();
  checkpoint.dataset_fingerprint = dataset_fingerprint_;
  checkpoint.origin = {runtime_.machine, runtime_.build, runtime_.compute_threads};
  checkpoint.log_file = config_.log_file.empty() ? "" : std::filesystem::absolute(config_.log_file).string();
  checkpoint.progress = progress_;
  checkpoint.best_encoder = best_encoder_;
  if (const auto what = first_not_finite(checkpoint); !what.empty()) {
    throw FailedStep(progress_.step,
                     what + " is not finite after it, at learning rate " + shortest(config_.learning_rate));
  }
  return checkpoint;
}

void Trainer::save_start() {
  Checkpoint start;
  try {
    start = checkpoint();
  } catch (const FailedStep&) {
    throw Error("the weights to start from are not finite");
  }
  // The table of an older run in this directory is cut once this is written.
  start.progress.metrics_bytes = 0;
  write_checkpoint(start, run_);
  if (const auto failure = write_derived_files(start, run_, Derived::all_but_best_encoder); !failure.empty()) {
    throw Error(failure);
  }
  writer_.set_written(0);
}

void Trainer::save(bool also_wait) {
  auto now = std::make_shared<Checkpoint>(checkpoint());
  now->progress.metrics_bytes = recorder_->table_bytes();
  writer_.save(now);
  last_save_seconds_ = now_seconds();
  if (also_wait) {
    writer_.finish();
  }
}

}  // namespace relic
