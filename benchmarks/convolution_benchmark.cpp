// Time of ResNet-18's 3×3 convolutions of stride 1, by us and by LibTorch, in float32, forward and with both gradients:
// of two global views of 32 pixels and four local ones of 13 of a batch of 64.
//   convolution_benchmark [--benchmark_format=json ...]
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>

#include "nn/convolution.h"
#include "run_benchmarks.h"

namespace {

struct Layer {
  std::int64_t images, side, channels;
};

torch::Tensor random_images(const Layer& layer) {
  return torch::randn({layer.images, layer.channels, layer.side, layer.side})
      .contiguous(at::MemoryFormat::ChannelsLast);
}

torch::Tensor convolve(relic::Convolution& convolution, const torch::Tensor& x, bool ours) {
  return ours ? convolution(x) : torch::conv2d(x, convolution->weight, {}, 1, 1);
}

void run(benchmark::State& state, Layer layer, bool ours, bool backward) {
  relic::Convolution convolution(torch::nn::Conv2dOptions(layer.channels, layer.channels, 3).padding(1).bias(false));
  convolution->weight.set_data(convolution->weight.contiguous(at::MemoryFormat::ChannelsLast));
  const auto x = random_images(layer).requires_grad_(backward);
  const auto y_gradient = random_images(layer);
  at::AutoGradMode with_gradients(backward);
  for (auto _ : state) {
    const auto y = convolve(convolution, x, ours);
    if (backward) {
      x.mutable_grad().reset();
      convolution->weight.mutable_grad().reset();
      y.backward(y_gradient);
    }
  }
  // Those of the sum that defines a convolution, whichever way it is computed.
  const double passes = backward ? 3 : 1;
  const auto operations = 2.0 * 9 * passes * static_cast<double>(layer.images * layer.side * layer.side) *
                          static_cast<double>(layer.channels * layer.channels);
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

void add_benchmarks() {
  for (const Layer& layer : {Layer{128, 32, 64}, Layer{128, 16, 128}, Layer{128, 8, 256}, Layer{128, 4, 512},
                             Layer{256, 13, 64}, Layer{256, 7, 128}, Layer{256, 4, 256}, Layer{256, 2, 512}}) {
    for (const bool backward : {false, true}) {
      for (const bool ours : {true, false}) {
        const std::string name = std::to_string(layer.images) + "x" + std::to_string(layer.side) + "x" +
                                 std::to_string(layer.side) + "x" + std::to_string(layer.channels) +
                                 (backward ? "/forward_backward" : "/forward") + (ours ? "/ours" : "/libtorch");
        benchmark::RegisterBenchmark(name.c_str(), run, layer, ours, backward)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return run_benchmarks(argc, argv, add_benchmarks); }
