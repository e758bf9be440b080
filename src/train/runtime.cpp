#include "relic/train/runtime.h"

#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/cuda.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "nn/convolution.h"
#include "relic/core/cpu.h"
#include "relic/core/error.h"
#include "relic/core/text.h"
#include "train/bfloat16_cost.h"
#include "train/cuda_graph.h"
#include "train/device_name.h"

namespace relic {

namespace {

bool nvidia_device_present() {
  std::error_code ignored;
  return std::filesystem::exists("/dev/nvidia0", ignored) ||
         std::filesystem::exists("/proc/driver/nvidia/gpus", ignored);
}

std::string why_no_cuda() {
  // at::hasCUDA() also wants a device.
  if (!at::detail::getCUDAHooks().hasCUDART()) {
    return "this program was built with a LibTorch without CUDA; build it with a CUDA one";
  }
  return "LibTorch finds no usable CUDA device; check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES";
}

torch::Device choose_device(const std::string& name, Runtime& runtime) {
  if (name == "cpu") {
    return torch::kCPU;
  }
  if (name == "auto") {
    if (torch::cuda::is_available()) {
      return torch::Device(torch::kCUDA, 0);
    }
    if (nvidia_device_present()) {
      runtime.warnings.push_back("an NVIDIA device is present and not used: " + why_no_cuda() +
                                 " (--device cpu silences this)");
    }
    return torch::kCPU;
  }
  if (!torch::cuda::is_available()) {
    throw UsageError("--device " + name + ": " + why_no_cuda() + ", or use --device cpu");
  }
  torch::Device device(name);
  if (!device.has_index()) {
    device.set_index(0);
  }
  const auto count = torch::cuda::device_count();
  if (device.index() >= count) {
    throw UsageError("--device " + name + ": this machine has " + std::to_string(count) +
                     " CUDA device(s), numbered from 0");
  }
  return device;
}

constexpr double kPaysNot = 1.1;
constexpr int kManyWorkers = 4;  // a core: they also wait for the disk

std::optional<torch::ScalarType> choose_precision(const TrainConfig& config, Runtime& runtime) {
  const bool cpu = runtime.device.is_cpu();
  std::string precision = config.precision;
  if (precision.empty()) {
    precision = !config.fp16_precision ? "fp32" : cpu ? "bf16" : "fp16";
    if (config.fp16_precision && cpu) {
      runtime.notes.emplace_back("--fp16_precision on a CPU means bfloat16");
    }
  }
  if (precision == "fp16" && cpu) {
    throw UsageError("--precision fp16: float16 training needs a CUDA device; on a CPU use --precision bf16 or fp32");
  }
  if (precision == "bf16" && !cpu && config.fp16_precision) {
    throw UsageError("--precision bf16 with --fp16_precision: must be one of them on a GPU");
  }
  if (precision == "bf16" && cpu && computes_bfloat16_in_float32()) {
    runtime.notes.emplace_back(
        "bfloat16: convolutions multiply in float32, since this processor has nothing that multiplies bfloat16 faster");
  } else if (precision == "bf16" && cpu && bfloat16_cost(runtime.compute_threads) > kPaysNot) {
    runtime.warnings.emplace_back("bfloat16 takes " + fixed(bfloat16_cost(runtime.compute_threads), 1) +
                                  " times as long as float32 on this processor (a convolution tried in both): "
                                  "--precision fp32 is faster" +
                                  (config.fp16_precision ? ", without --fp16_precision" : ""));
  }
  if (precision == "fp32") {
    return std::nullopt;
  }
  return precision == "bf16" ? torch::kBFloat16 : torch::kHalf;
}

Runtime::Graph choose_graph(const TrainConfig& config, const Runtime& runtime) {
  const bool possible = !runtime.device.is_cpu() && has_cuda_graphs();
  if (config.cuda_graph == "on") {
    if (!possible) {
      throw UsageError(
          "--cuda_graph on: " +
          std::string(runtime.device.is_cpu() ? "needs a CUDA device" : "this program was built without nvcc") +
          "; use --cuda_graph auto or off");
    }
    return Runtime::Graph::required;
  }
  return possible && config.cuda_graph == "auto" && !config.detect_anomaly ? Runtime::Graph::where_possible
                                                                           : Runtime::Graph::off;
}

}  // namespace

Runtime choose_runtime(const TrainConfig& config) {
  Runtime runtime;
  runtime.device = choose_device(config.device, runtime);
  runtime.machine =
      runtime.device.is_cpu() ? processor_name() + ", " + at::get_cpu_capability() : device_name(runtime.device);
  const int cores = available_cores();
  runtime.compute_threads = config.num_threads > 0 ? static_cast<int>(config.num_threads) : cores;
  if (runtime.compute_threads > cores) {
    runtime.warnings.push_back("--num_threads " + std::to_string(runtime.compute_threads) +
                               ": more than the cores that may be used, " + std::to_string(cores) +
                               ", which slows it down");
  }
  runtime.autocast = choose_precision(config, runtime);
  runtime.scales_loss = runtime.autocast == torch::kHalf;
  runtime.tf32 = !runtime.device.is_cpu() && config.tf32 == "on";
  runtime.graph = choose_graph(config, runtime);
  if (!runtime.device.is_cpu() && !has_cuda_graphs()) {
    runtime.warnings.emplace_back(
        "this program was built without nvcc: the CPU renders the views and steps are launched piece by piece, which "
        "takes about twice as long");
  }
  // Views of a CPU training cost a few percent of its step; a GPU waits for as many as there are cores.
  const int fitting = runtime.device.is_cpu() ? std::max(1, cores / 4) : cores;
  runtime.view_workers = config.num_workers > 0 ? static_cast<int>(config.num_workers) : fitting;
  if (runtime.view_workers > kManyWorkers * cores) {
    runtime.warnings.push_back("--num_workers " + std::to_string(runtime.view_workers) +
                               ": far more than the cores that may be used, " + std::to_string(cores) +
                               ", which makes views no faster");
  }
  return runtime;
}

void compute_deterministically() {
  // cuBLAS is deterministic with a workspace of fixed size, which it asks the environment for.
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  auto& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/false);
  context.setDeterministicFillUninitializedMemory(false);
  context.setDeterministicCuDNN(true);
}

std::string precision_text(const Runtime& runtime) {
  if (!runtime.autocast) {
    return runtime.tf32 ? "float32 (TF32)" : "float32";
  }
  return *runtime.autocast == torch::kBFloat16 ? "bfloat16" : "float16";
}

}  // namespace relic
