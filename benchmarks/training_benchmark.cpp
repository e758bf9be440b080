// Time of the parts of a training step, and of the whole one, on views that are ready.
//   training_benchmark [SETTING=VALUE ...] [--benchmark_format=json ...]
// with the program's settings: training_benchmark batch_size=64 precision=bf16 num_threads=2. By default CIFAR-10's.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cstdio>
#include <string>
#include <vector>

#include "relic/core/error.h"
#include "relic/core/heap.h"
#include "relic/nn/autocast_scope.h"
#include "relic/train/grad_scaler.h"
#include "relic/train/options.h"
#include "relic/train/settings.h"
#include "train/device_math.h"
#include "train/graphed_step.h"
#include "train/online_update.h"
#include "train/own_stream.h"

namespace {

relic::TrainConfig config;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

/// Networks, optimizer and views of a training with `config`.
struct Training {
  relic::Runtime runtime = relic::choose_runtime(config);
  relic::ForwardOptions forward = relic::forward_options(config, runtime);
  std::unique_ptr<relic::Relic> networks = relic::initial_relic(config, runtime.device);
  relic::Adam adam{networks->trained_parameters(), {}};
  relic::DeviceMathScope math{relic::device_math(config, runtime)};
  relic::Views views;

  Training() {
    at::set_num_threads(runtime.compute_threads);
    const auto spec = relic::view_options(config);
    const auto type = runtime.device.is_cpu() ? torch::kFloat : runtime.autocast.value_or(torch::kFloat);
    const auto random = [&](std::int64_t count, int size) {
      return torch::rand({count * config.batch_size, 3, size, size})
          .to(runtime.device, type)
          .contiguous(at::MemoryFormat::ChannelsLast);
    };
    views.global = random(spec.global_count, spec.global.size);
    if (spec.local_count > 0) views.local = random(spec.local_count, spec.local.size);
  }
  void synchronise() const {
    if (runtime.device.is_cuda()) torch::cuda::synchronize(runtime.device.index());
  }
};

/// Runs `body` once to warm up, then as the benchmark asks; items are images of the batch.
template <typename Body>
void measure(benchmark::State& state, const Training& training, Body body) {
  body();
  training.synchronise();
  for (auto _ : state) {
    body();
    training.synchronise();
  }
  state.SetItemsProcessed(state.iterations() * config.batch_size);
}

void target_forward(benchmark::State& state) {
  Training training;
  const torch::NoGradGuard no_grad;
  const relic::AutocastScope autocast(training.runtime.device.type(), training.runtime.autocast);
  measure(state, training,
          [&] { benchmark::DoNotOptimize(training.networks->target().forward(training.views.global)); });
}

/// With what a backward pass will need.
void online_forward(benchmark::State& state, bool local) {
  Training training;
  measure(state, training, [&] {
    const relic::AutocastScope autocast(training.runtime.device.type(), training.runtime.autocast);
    benchmark::DoNotOptimize(training.networks->online().forward(local ? training.views.local : training.views.global));
  });
}

void online_forward_backward(benchmark::State& state, bool local) {
  Training training;
  measure(state, training, [&] {
    torch::Tensor sum;
    {
      const relic::AutocastScope autocast(training.runtime.device.type(), training.runtime.autocast);
      sum = training.networks->online().forward(local ? training.views.local : training.views.global).sum();
    }
    training.adam.zero_grad();
    sum.backward();
  });
}

void loss_forward_backward(benchmark::State& state) {
  const Training training;
  const auto projections = [&](std::int64_t views) {
    return torch::rand({views * config.batch_size, config.proj_out_dim}).to(training.runtime.device);
  };
  const auto online = projections(config.num_global_views + config.num_local_views).requires_grad_();
  const auto target = projections(config.num_global_views);
  measure(state, training, [&] {
    relic::relic_loss(online, target, config.batch_size, training.networks->log_temperature, training.networks->bias,
                      training.forward.loss)
        .loss.backward();
  });
}

void optimizer(benchmark::State& state) {
  Training training;
  for (const auto& parameter : training.adam.parameters()) parameter.mutable_grad() = torch::ones_like(parameter);
  const auto found = torch::zeros({}, training.runtime.device);
  relic::GradScaler scaler(training.runtime.device);
  measure(state, training, [&] {
    if (training.runtime.scales_loss) {
      scaler.step(training.adam, found);
    } else {
      training.adam.step({}, found);
    }
  });
}

void look_for_infinities(benchmark::State& state) {
  Training training;
  for (const auto& parameter : training.adam.parameters()) parameter.mutable_grad() = torch::ones_like(parameter);
  const auto loss = torch::ones({}, training.runtime.device);
  auto found = torch::zeros({}, training.runtime.device);
  measure(state, training, [&] { relic::find_infinities(loss, training.adam, found); });
}

void target_update(benchmark::State& state) {
  Training training;
  const auto skipped = torch::zeros({}, training.runtime.device);
  measure(state, training, [&] { training.networks->update_target(0.99, skipped); });
}

/// As the program trains, on a GPU as one CUDA graph unless cuda_graph=off; but here the host waits after each step.
void whole_step(benchmark::State& state) {
  Training training;
  const relic::OwnStream stream(training.runtime.device);
  relic::OnlineUpdate online(config, training.runtime, *training.networks, {});
  const auto step = [&](const relic::Views& views) { return online.run(views, nullptr); };
  const bool whole = training.runtime.graph != relic::Runtime::Graph::off;
  relic::GraphedStep graph(
      step, [](const std::string& reason) { std::fprintf(stderr, "not recorded: %s\n", reason.c_str()); });
  const auto body = [&] {
    const auto measured = whole ? graph.run(training.views) : step(training.views);
    training.networks->update_target(0.99, online.found_inf());
    benchmark::DoNotOptimize(measured.cpu());
  };
  constexpr int recorded = 4;
  for (int i = 0; whole && i < recorded; ++i) body();
  measure(state, training, body);
}

void read_settings(int count, char** words) {
  config.dataset_name = "cifar10";
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    const auto equals = word.find('=');
    const auto* setting = relic::find_setting(word.substr(0, equals));
    if (setting == nullptr || equals == std::string::npos) {
      throw relic::UsageError(word + ": no SETTING=VALUE, nor a flag of the benchmark library");
    }
    setting->set(config, word.substr(equals + 1));
  }
  relic::require_no_problems(relic::find_problems(config));
}

void add_benchmarks() {
  const auto add = [](const std::string& name, auto body, auto... arguments) {
    benchmark::RegisterBenchmark(name.c_str(), body, arguments...)->UseRealTime()->Unit(benchmark::kMillisecond);
  };
  add("target_forward/global", target_forward);
  for (const bool local : {false, true}) {
    if (local && config.num_local_views == 0) continue;
    const std::string views = local ? "local" : "global";
    add("online_forward/" + views, online_forward, local);
    add("online_forward_backward/" + views, online_forward_backward, local);
  }
  add("loss_forward_backward", loss_forward_backward);
  add("optimizer", optimizer);
  add("look_for_infinities", look_for_infinities);
  add("target_update", target_update);
  add("whole_step", whole_step);
}

}  // namespace

int main(int argc, char** argv) {
  relic::keep_freed_memory();
  benchmark::Initialize(&argc, argv);
  try {
    read_settings(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
  add_benchmarks();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
