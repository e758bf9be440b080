#include <torch/torch.h>

#include <string>
#include <vector>

#include "command.h"
#include "eval_commands.h"
#include "eval_plan.h"
#include "relic/core/file.h"
#include "relic/core/text.h"
#include "relic/eval/features.h"
#include "relic/formats/npy.h"
#include "relic/train/options.h"

namespace relic {

namespace {

Split split_of(const EvalConfig& config) {
  return config.split == "pretraining" ? Split::pretraining : config.split == "test" ? Split::test : Split::train;
}

/// FILE.npy's companion, FILE with another ending.
std::filesystem::path beside(const std::filesystem::path& file, const std::string& ending) {
  return file.parent_path() / (file.stem().string() + ending);
}

void embed(const EvalPlan& plan, Log& log) {
  const auto& config = plan.config;
  const auto dataset = find_images(plan, split_of(config)).open();
  log_start(plan, log);
  EvalWatch watch(plan, log);
  const auto features = extract_features(*plan.encoder.encoder, *dataset, image_size(config.common),
                                         plan.runtime.device, 0, watch.of("images"));
  log.progress("");
  std::string names;
  for (const std::int64_t index : features.indices) {
    names += one_line(dataset->name(index)) + "\n";
  }
  // The largest first: where there is no room for it, the older three stay as they were.
  write_npy(config.out, features.x);
  write_npy(beside(config.out, ".labels.npy"), features.labels);
  write_file(beside(config.out, ".names.txt"), names);
  log.info("saved " + std::to_string(features.x.size(0)) + " features of " + std::to_string(features.x.size(1)) +
           " dimensions of the split " + config.split + ": " + config.out.string());
}

}  // namespace

int run_embed(const std::vector<std::string>& arguments) {
  return run_eval(embed_command(), embed_settings(), arguments, embed);
}

}  // namespace relic
