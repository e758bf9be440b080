// What a probe found, for people and for programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "relic/eval/probe.h"

namespace relic {

/// What was probed, and how.
struct ProbeSubject {
  std::string file;       ///< the encoder's
  std::string network;    ///< as of --encoder_model_name
  std::int64_t step = 0;  ///< of the training; 0: not known
  std::string dataset;
  int image_size = 0;
  std::vector<std::string> classes;
  ProbeOptions options{};
};

/// A table of both classifiers; of up to twenty classes also each one's accuracy and what it is taken for.
std::vector<std::string> probe_lines(const ProbeResult& result, const ProbeSubject& subject);

/// All numbers, as JSON.
std::string probe_json(const ProbeResult& result, const ProbeSubject& subject);

}  // namespace relic
