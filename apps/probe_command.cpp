#include <torch/torch.h>

#include <string>
#include <vector>

#include "command.h"
#include "eval_commands.h"
#include "eval_plan.h"
#include "probe_report.h"
#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/eval/probe.h"
#include "relic/formats/pth.h"
#include "relic/train/options.h"

namespace relic {

namespace {

void write_head(const std::filesystem::path& path, const LogisticRegression& head) {
  write_state_dict(path, {{"weight", head.weight.to(torch::kFloat)}, {"bias", head.intercept.to(torch::kFloat)}});
}

void probe(const EvalPlan& plan, Log& log) {
  const auto& config = plan.config;
  const auto found = find_images(plan, Split::train);
  if (found.classes == 0) {
    throw UsageError("--dataset_path " + config.common.dataset_path.string() +
                     ": its images have no labels, without which nothing can be scored (" + found.note +
                     "); "
                     "relic_train embed writes their features");
  }
  const auto train = found.open();
  const auto test = find_images(plan, Split::test).open();
  log_start(plan, log);
  EvalWatch watch(plan, log);
  const ProbeSubject subject{.file = plan.file.string(),
                             .network = plan.encoder.name,
                             .dataset = config.common.dataset_name,
                             .image_size = image_size(config.common),
                             .classes = train->class_names(),
                             .options = {.c = config.c,
                                         .max_iterations = config.max_iter,
                                         .standardize = config.standardize,
                                         .k = config.k,
                                         .seed = config.common.seed,
                                         .device = plan.runtime.device,
                                         .watch = watch.of("probing")}};
  const auto result = probe_encoder(*plan.encoder.encoder, *train, *test, subject.image_size, subject.options);
  log.progress("");
  if (!result.head.converged) {
    log.warning("logistic regression has not converged after " + std::to_string(result.head.iterations) +
                " iterations; a larger --max_iter goes on, --standardize makes it easier");
  }
  for (const auto& line : probe_lines(result, subject)) {
    log.info(line);
  }
  write_file(plan.report, probe_json(result, subject));
  log.info("saved " + plan.report.string());
  if (!config.weights.empty()) {
    write_head(config.weights, result.head);
    log.info("saved " + config.weights.string());
  }
}

}  // namespace

int run_probe(const std::vector<std::string>& arguments) {
  return run_eval(probe_command(), probe_settings(), arguments, probe);
}

}  // namespace relic
