// Where and in what precision a training runs.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "relic/train/config.h"

namespace relic {

struct Runtime {
  torch::Device device = torch::kCPU;
  std::optional<torch::ScalarType> autocast;  ///< none: float32
  bool scales_loss = false;                   ///< by a gradient scaler, as float16 wants it
  bool tf32 = false;                          ///< float32 matrix products of a GPU in TF32
  enum class Graph : std::uint8_t { off, where_possible, required };
  Graph graph = Graph::off;  ///< a step as one CUDA graph
  std::string machine;       ///< the device and its name
  std::string build;         ///< what this program was built from, where that is known
  int compute_threads = 1;
  int view_workers = 1;
  std::vector<std::string> notes;     ///< what was decided and is worth a line in the log
  std::vector<std::string> warnings;  ///< e.g. an NVIDIA device that is not used, and why
};

/// Turns `device`, `precision`, `fp16_precision`, `num_threads`, `num_workers` into what this machine can do. Throws
/// UsageError where it cannot (`--device cuda` without one, `--precision fp16` on a CPU).
Runtime choose_runtime(const TrainConfig& config);

/// `--deterministic`: from here on, what has no deterministic algorithm on a GPU is an error. To be called before its
/// first computation.
void compute_deterministically();

/// "float32", "float32 (TF32)", "bfloat16", "float16".
std::string precision_text(const Runtime& runtime);

}  // namespace relic
