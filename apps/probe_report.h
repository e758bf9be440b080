// What a probe found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "eval_plan.h"
#include "relic/eval/probe.h"

namespace relic {

struct ProbedImages {
  std::string dataset;
  std::int64_t train = 0;
  std::int64_t test = 0;
  std::vector<std::string> classes;
};

/// A table of both classifiers; of up to twenty classes also each one's accuracy and what it is taken for.
std::vector<std::string> probe_lines(const ProbeResult& result, const ProbedImages& images);

/// All numbers, as JSON.
std::string probe_json(const ProbeResult& result, const ProbedImages& images, const EvalPlan& plan);

}  // namespace relic
