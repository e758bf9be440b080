// Time of convolutions, by us and by LibTorch, forward, of the weight's gradient, and forward with both gradients, in
// float32 and under bfloat16's autocast: ResNet-18's, of two global views of 32 pixels and four local ones of 13 of a
// batch of 64, and depthwise and 1×1 ones of EfficientNet-v2-S, of a batch of 16 at 32 and at 96 pixels.
//   convolution_benchmark [--benchmark_filter=depthwise --benchmark_format=json ...]
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nn/convolution.h"
#include "relic/nn/autocast_scope.h"
#include "run_benchmarks.h"

namespace {

struct Layer {
  std::int64_t images, side, in, out;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  bool depthwise = false;

  [[nodiscard]] std::int64_t groups() const { return depthwise ? in : 1; }
  [[nodiscard]] std::int64_t padding() const { return (kernel - 1) / 2; }
  [[nodiscard]] std::string name() const {
    const std::string kind = depthwise ? "depthwise" : std::to_string(kernel) + "x" + std::to_string(kernel);
    return kind + (stride == 2 ? "/2:" : ":") + std::to_string(images) + "x" + std::to_string(side) + "x" +
           std::to_string(side) + "x" + std::to_string(in) + (in == out ? "" : "to" + std::to_string(out));
  }
};

torch::Tensor random_images(std::int64_t images, std::int64_t channels, std::int64_t side, torch::ScalarType dtype) {
  return torch::randn({images, channels, side, side}).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
}

enum class Pass { forward, weight_gradient, forward_backward };

void run(benchmark::State& state, const Layer& layer, torch::ScalarType dtype, bool ours, Pass pass) {
  relic::Convolution convolution(torch::nn::Conv2dOptions(layer.in, layer.out, layer.kernel)
                                     .stride(layer.stride)
                                     .padding(layer.padding())
                                     .groups(layer.groups())
                                     .bias(false));
  convolution->weight.set_data(convolution->weight.contiguous(at::MemoryFormat::ChannelsLast));
  const auto x =
      random_images(layer.images, layer.in, layer.side, dtype).requires_grad_(pass == Pass::forward_backward);
  const auto side = (layer.side - 1) / layer.stride + 1;
  const auto y_gradient = random_images(layer.images, layer.out, side, dtype);
  at::AutoGradMode with_gradients(pass != Pass::forward);
  const auto forward = [&] {
    const relic::AutocastScope autocast(torch::kCPU, dtype == torch::kFloat ? std::nullopt : std::optional(dtype));
    return ours ? convolution(x)
                : torch::conv2d(x, convolution->weight, {}, layer.stride, layer.padding(), 1, layer.groups());
  };
  torch::Tensor y = forward();
  for (auto _ : state) {
    if (pass != Pass::weight_gradient) y = forward();
    if (pass == Pass::forward) continue;
    x.mutable_grad().reset();
    convolution->weight.mutable_grad().reset();
    y.backward(y_gradient, /*retain_graph=*/pass == Pass::weight_gradient);
  }
  // Those of the sum that defines a convolution, whichever way it is computed.
  const auto passes = pass == Pass::forward_backward ? 3.0 : 1.0;
  const auto products = layer.images * side * side * layer.kernel * layer.kernel * layer.in * layer.out;
  const auto operations = 2 * passes * static_cast<double>(products / layer.groups());
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void add_benchmarks() {
  const std::vector<Layer> layers{
      {128, 32, 64, 64},
      {128, 16, 128, 128},
      {128, 8, 256, 256},
      {128, 4, 512, 512},
      {256, 13, 64, 64},
      {256, 7, 128, 128},
      {256, 4, 256, 256},
      {256, 2, 512, 512},
      {128, 32, 3, 64},
      {256, 13, 3, 64},
      {.images = 128, .side = 32, .in = 64, .out = 128, .stride = 2},
      {.images = 128, .side = 16, .in = 128, .out = 256, .stride = 2},
      {.images = 128, .side = 8, .in = 256, .out = 512, .stride = 2},
      {.images = 256, .side = 13, .in = 64, .out = 128, .stride = 2},
      {.images = 256, .side = 7, .in = 128, .out = 256, .stride = 2},
      {.images = 256, .side = 4, .in = 256, .out = 512, .stride = 2},
      {.images = 128, .side = 2, .in = 256, .out = 512, .stride = 2},
      {.images = 256, .side = 1, .in = 256, .out = 512, .stride = 2},
      {.images = 32, .side = 8, .in = 48, .out = 192, .stride = 2},
      {.images = 128, .side = 32, .in = 64, .out = 128, .kernel = 1, .stride = 2},
      {.images = 128, .side = 16, .in = 128, .out = 256, .kernel = 1, .stride = 2},
      {.images = 128, .side = 8, .in = 256, .out = 512, .kernel = 1, .stride = 2},
      {.images = 256, .side = 13, .in = 64, .out = 128, .kernel = 1, .stride = 2},
      {.images = 256, .side = 7, .in = 128, .out = 256, .kernel = 1, .stride = 2},
      {.images = 256, .side = 4, .in = 256, .out = 512, .kernel = 1, .stride = 2},
      {.images = 32, .side = 4, .in = 256, .out = 256, .stride = 2, .depthwise = true},
      {.images = 32, .side = 2, .in = 960, .out = 960, .depthwise = true},
      {.images = 64, .side = 1, .in = 1536, .out = 1536, .depthwise = true},
      {.images = 32, .side = 12, .in = 256, .out = 256, .stride = 2, .depthwise = true},
      {.images = 32, .side = 6, .in = 960, .out = 960, .depthwise = true},
      {.images = 64, .side = 1, .in = 1536, .out = 256, .kernel = 1},
      {.images = 32, .side = 2, .in = 160, .out = 960, .kernel = 1},
      {.images = 32, .side = 6, .in = 160, .out = 960, .kernel = 1},
  };
  const std::vector<std::pair<const char*, Pass>> passes{{"/forward", Pass::forward},
                                                         {"/weight_gradient", Pass::weight_gradient},
                                                         {"/forward_backward", Pass::forward_backward}};
  for (const Layer& layer : layers) {
    for (const auto dtype : {torch::kFloat, torch::kBFloat16}) {
      for (const auto& [pass_name, pass] : passes) {
        for (const bool ours : {true, false}) {
          const std::string name = layer.name() + (dtype == torch::kFloat ? "/float32" : "/bfloat16") + pass_name +
                                   (ours ? "/ours" : "/libtorch");
          benchmark::RegisterBenchmark(name.c_str(), run, layer, dtype, ours, pass)
              ->UseRealTime()
              ->Unit(benchmark::kMillisecond);
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return run_benchmarks(argc, argv, add_benchmarks); }
