#include "resume_text.h"

#include <cstdint>
#include <filesystem>

#include "relic/core/error.h"
#include "relic/train/options.h"
#include "relic/train/settings.h"

namespace relic {

namespace {

/// What keeps a resumed run from ending, to the bit, where it would have without an interruption.
std::vector<std::string> other_origin(const Origin& before, const Runtime& now) {
  const auto difference = [](const std::string& then, const std::string& here) {
    return "the checkpoint was written " + then + ", this is " + here +
           ": what follows differs by rounding from what would have been";
  };
  const auto threads = [](std::int64_t count) {
    return std::to_string(count) + " compute thread" + (count == 1 ? "" : "s");
  };
  std::vector<std::string> lines;
  if (!before.machine.empty() && before.machine != now.machine) {
    lines.push_back(difference("on " + before.machine, now.machine));
  }
  if (!before.build.empty() && before.build != now.build) {
    lines.push_back(difference("by " + before.build, now.build));
  }
  if (before.compute_threads > 0 && before.compute_threads != now.compute_threads) {
    lines.push_back(difference("with " + threads(before.compute_threads), "with " + threads(now.compute_threads)));
  }
  return lines;
}

/// Settings that a resumed run goes on with otherwise than it was recorded.
std::vector<std::string> changed_settings(const TrainConfig& recorded, const TrainConfig& config) {
  std::vector<std::string> lines;
  for (const auto& setting : train_settings()) {
    const auto before = setting.get(recorded);
    const auto now = setting.get(config);
    if (!setting.recorded || before == now) {
      continue;
    }
    lines.push_back(setting.name + " was " + (before.empty() ? "not set" : before) + " and is " +
                    (now.empty() ? "not set" : now) + " now");
    if (setting.name == "num_epochs") {
      lines.back() += ": the target's decay goes on over the new length";
    }
  }
  return lines;
}

/// Empty, or in words: a resumed run would go on with other images, which their number alone does not tell.
std::string other_images(const Plan& plan, std::uint64_t fingerprint) {
  const Checkpoint* const checkpoint = plan.start.checkpoint();
  if (checkpoint == nullptr || checkpoint->dataset_size != plan.images.size || checkpoint->dataset_fingerprint == 0 ||
      checkpoint->dataset_fingerprint == fingerprint) {
    return {};
  }
  const std::string before = checkpoint->dataset_path;
  const std::string now = std::filesystem::absolute(plan.config.dataset_path).string();
  return "the images in " + now + " are not those that the run was started on" +
         (before == now ? "" : ", in " + before) + ": as many, but of other names, classes or contents";
}

}  // namespace

std::vector<std::string> damage_text(const Plan& plan) {
  std::vector<std::string> lines;
  if (!plan.start.newest || plan.start.newest->damaged.empty()) {
    return lines;
  }
  for (const auto& damaged : plan.start.newest->damaged) {
    lines.push_back(damaged.reason);
  }
  lines.push_back("going on from step " + std::to_string(plan.start.checkpoint()->progress.step) + ", that of " +
                  plan.start.newest->file.filename().string() +
                  "; what lies there of later steps is kept under names that end in .damaged and .later, for you to "
                  "look at or delete");
  return lines;
}

std::vector<std::string> resume_text(const Plan& plan, const RunDirectory& run) {
  const Checkpoint& checkpoint = *plan.start.checkpoint();
  const auto& recorded = plan.start.recorded;
  const auto steps = steps_per_epoch(plan);
  const auto step = checkpoint.progress.step;
  const auto last = last_step(plan.config, steps);
  std::vector<std::string> lines{"resuming the run in " + run.folder().string() + " at step " + std::to_string(step) +
                                 (step > last ? ", past its end at " : " of ") + std::to_string(last)};
  for (auto& change : changed_settings(recorded, plan.config)) {
    lines.push_back(std::move(change));
  }
  if (checkpoint.dataset_size != plan.images.size) {
    lines.push_back("the data set had " + std::to_string(checkpoint.dataset_size) + " images and has " +
                    std::to_string(plan.images.size) + " now");
  }
  if (const auto before = checkpoint.dataset_size / recorded.batch_size; before != steps) {
    lines.push_back("an epoch had " + std::to_string(before) + " steps and has " + std::to_string(steps) +
                    " now: the count of steps goes on, and epochs, order, decay and end follow from it");
  }
  for (auto& line : other_origin(checkpoint.origin, plan.runtime)) {
    lines.push_back(std::move(line));
  }
  if (!plan.config.ckpt_path.empty()) {
    lines.emplace_back("--ckpt_path is for new runs: this one goes on with its own weights");
  }
  return lines;
}

std::string require_same_images(const Plan& plan, std::uint64_t fingerprint) {
  std::string others = other_images(plan, fingerprint);
  if (!others.empty() && !plan.config.force) {
    throw UsageError("--resume: " + others + "; --force goes on with these");
  }
  return others;
}

std::string nothing_to_resume(const RunDirectory& run) {
  return "nothing to resume in " + run.folder().string() + ": starting anew";
}

std::string in_place_of(const std::string& files) { return "starting anew in place of the run here (" + files + ")"; }

}  // namespace relic
