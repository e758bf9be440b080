// Time of BatchNorm with what follows it in ResNet-18 (ReLU, or the addition of the shortcut and ReLU), in one piece
// and by LibTorch's operations, forward and with gradients: of two global views of 32 pixels and four local ones of 13
// of a batch of 64.
//   norm_benchmark [--benchmark_format=json ...]
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <string>

#include "nn/norm_act.h"
#include "run_benchmarks.h"

namespace {

struct Layer {
  std::int64_t images, side, channels;
  bool shortcut;
};

torch::Tensor random_images(const Layer& layer, torch::ScalarType type) {
  return torch::randn({layer.images, layer.channels, layer.side, layer.side})
      .to(type)
      .contiguous(at::MemoryFormat::ChannelsLast);
}

void run(benchmark::State& state, Layer layer, torch::ScalarType type, bool fused, bool backward) {
  torch::nn::BatchNorm2d norm(layer.channels);
  const auto x = random_images(layer, type).requires_grad_(backward);
  const auto shortcut = layer.shortcut ? random_images(layer, type).requires_grad_(backward) : torch::Tensor();
  const auto y_gradient = random_images(layer, type);
  at::AutoGradMode with_gradients(backward);
  for (auto _ : state) {
    const auto y = fused ? relic::fused_norm_act(norm, x, relic::After::relu, shortcut)
                         : relic::plain_norm_act(norm, x, relic::After::relu, shortcut);
    if (!y.defined()) {
      state.SkipWithError("not for this processor");
      return;
    }
    if (backward) {
      x.mutable_grad().reset();
      if (layer.shortcut) shortcut.mutable_grad().reset();
      y.backward(y_gradient);
    }
  }
}

void add_benchmarks() {
  for (const Layer& layer : {Layer{128, 32, 64, false}, Layer{128, 32, 64, true}, Layer{128, 8, 256, false},
                             Layer{128, 4, 512, true}, Layer{256, 13, 64, false}, Layer{256, 4, 256, true}}) {
    for (const auto type : {torch::kFloat, torch::kBFloat16}) {
      for (const bool backward : {false, true}) {
        for (const bool fused : {true, false}) {
          const std::string name = std::to_string(layer.images) + "x" + std::to_string(layer.side) + "x" +
                                   std::to_string(layer.side) + "x" + std::to_string(layer.channels) +
                                   (layer.shortcut ? "+shortcut/" : "/") + torch::toString(type) +
                                   (backward ? "/forward_backward" : "/forward") + (fused ? "/ours" : "/libtorch");
          benchmark::RegisterBenchmark(name.c_str(), run, layer, type, fused, backward)
              ->UseRealTime()
              ->Unit(benchmark::kMillisecond);
        }
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return run_benchmarks(argc, argv, add_benchmarks); }
