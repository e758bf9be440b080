// Whole training steps of the original (tests/data/fixtures/trace*.json), repeated with the library's own pieces.
#pragma once

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "relic/nn/state_dict.h"
#include "relic/train/ema_schedule.h"
#include "relic/train/optimizer.h"
#include "relic/train/options.h"
#include "relic/train/train_step.h"
#include "support/fill.h"

namespace relic::testing {

constexpr std::int64_t kTraceSteps = 6;
constexpr std::int64_t kTraceGlobalViews = 2;
constexpr std::int64_t kTraceLocalViews = 4;

/// Batch `step` as fixtures are made: noise of its own for each view over a colour that all views of an image share.
inline Views trace_views(std::int64_t step, std::int64_t batch, torch::ScalarType dtype) {
  const auto colour = uniform(static_cast<std::uint64_t>(15000 + step), {batch, 3, 1, 1}, torch::kDouble);
  const auto view = [&](std::int64_t index, std::int64_t side) {
    const auto stream = static_cast<std::uint64_t>(20000 + 100 * step + index);
    return 0.5 * uniform(stream, {batch, 3, side, side}, torch::kDouble) + 0.5 * colour;
  };
  std::vector<torch::Tensor> global;
  std::vector<torch::Tensor> local;
  for (std::int64_t i = 0; i < kTraceGlobalViews; ++i) {
    global.push_back(view(i, 32));
  }
  for (std::int64_t i = 0; i < kTraceLocalViews; ++i) {
    local.push_back(view(kTraceGlobalViews + i, 13));
  }
  const auto finish = [&](const std::vector<torch::Tensor>& views) {
    return torch::cat(views).to(torch::kFloat).to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  };
  return {finish(global), finish(local), {}};
}

/// A training of the trace's settings, built of the library's own pieces.
class TracedRun {
 public:
  TracedRun(const nlohmann::json& trace, torch::ScalarType dtype, const torch::Device& device = torch::kCPU)
      : batch_(trace.at("batch").get<std::int64_t>()),
        dtype_(dtype),
        device_(device),
        relic_(RelicOptions{.siglip = trace.at("use_siglip").get<bool>()}),
        schedule_(
            trace.at("base_gamma").get<double>(),
            trace.at("total_steps_K").get<std::int64_t>() + trace.at("update_gamma_after_step").get<std::int64_t>(),
            /*epochs=*/-1, trace.at("update_gamma_after_step").get<std::int64_t>(), /*every_n_steps=*/1) {
    fill(relic_.online());
    relic_.update_target(0);
    convert_floating(relic_, dtype);
    relic_.to(device);
    convert_channels_last(relic_);
    adam_ = std::make_unique<Adam>(relic_.trained_parameters(),
                                   AdamOptions{.learning_rate = trace.at("lr").get<double>(),
                                               .weight_decay = trace.at("weight_decay").get<double>()});
    TrainConfig config;
    config.alpha = trace.at("alpha").get<double>();
    config.use_siglip = trace.at("use_siglip").get<bool>();
    config.num_global_views = kTraceGlobalViews;
    config.num_local_views = kTraceLocalViews;
    config.bn_per_view = true;
    config.compat = trace.at("local_views_reuse_globals").get<bool>() ? "0.4.1" : "";
    options_ = forward_options(config, Runtime{});
    relic_.train();
  }

  LossTerms step(std::int64_t index) {
    adam_->zero_grad();
    auto views = trace_views(index, batch_, dtype_);
    views = {views.global.to(device_), views.local.to(device_), {}};
    auto terms = forward_views(relic_, views, batch_, options_);
    terms.loss.backward();
    adam_->step();
    const auto update = schedule_.at(index);
    if (update.action != EmaSchedule::Action::none) {
      relic_.update_target(update.action == EmaSchedule::Action::copy ? 0 : update.decay);
    }
    return terms;
  }

  /// How far this run is from a recorded step, relative to the largest of what is compared.
  std::map<std::string, double> differences(std::int64_t index, const LossTerms& terms,
                                            const nlohmann::json& expected) {
    const auto relative = [](double value, double reference) {
      return std::abs(value - reference) / std::abs(reference);
    };
    std::map<std::string, double> all;
    all["loss"] = relative(terms.loss.item<double>(), expected.at("loss"));
    all["invariance"] = relative(terms.invariance.item<double>(), expected.at("invariance_loss"));
    all["tau"] = relative(relic_.log_temperature.item<double>(), expected.at("tau"));
    all["gamma"] = relative(schedule_.decay_before(index + 1), expected.at("gamma_after"));
    if (options_.loss.siglip) {  // ReLIC's loss does not depend on b: its gradient is rounding noise
      all["b"] = relative(relic_.bias.item<double>(), expected.at("b"));
    }
    const auto tensors = state_dict(relic_);
    const std::unordered_map<std::string, torch::Tensor> by_name(tensors.begin(), tensors.end());
    for (const auto& [name, digest] : expected.at("tensors").items()) {
      all[name] = digest_difference(by_name.at(name), digest);
    }
    return all;
  }

 private:
  std::int64_t batch_;
  torch::ScalarType dtype_;
  torch::Device device_;
  Relic relic_;
  EmaSchedule schedule_;
  std::unique_ptr<Adam> adam_;
  ForwardOptions options_;
};

/// Of the traces in `file`: the original as it is and with local views, then both by SigLIP's loss.
inline nlohmann::json read_trace(const std::string& file, int variant) {
  return read_fixture(file).at(static_cast<std::size_t>(variant));
}

inline std::string trace_name(const ::testing::TestParamInfo<int>& variant) {
  const std::vector<std::string> names{"relic_reused_globals", "relic_local_views", "siglip_reused_globals",
                                       "siglip_local_views"};
  return names.at(static_cast<std::size_t>(variant.param));
}

/// Loss, tau, b, gamma and every tensor after each step.
inline void expect_the_originals_steps_in_float64(int variant, const torch::Device& device) {
  const auto trace = read_trace("trace_float64.json", variant);
  TracedRun run(trace, torch::kDouble, device);
  ASSERT_EQ(trace.at("steps").size(), static_cast<std::size_t>(kTraceSteps));
  std::map<std::string, double> largest;
  for (std::int64_t step = 0; step < kTraceSteps; ++step) {
    const auto terms = run.step(step);
    for (const auto& [what, difference] :
         run.differences(step, terms, trace.at("steps").at(static_cast<std::size_t>(step)))) {
      EXPECT_LT(difference, 1e-7) << what << " at step " << step;
      largest[what] = std::max(difference, largest[what]);
    }
  }
  for (const auto& [what, difference] : largest) {
    std::cout << "  " << what << " differs by at most " << difference << "\n";
  }
}

inline void expect_the_originals_losses_in_float32(int variant, const torch::Device& device) {
  const auto trace = read_trace("trace.json", variant);
  TracedRun run(trace, torch::kFloat, device);
  for (std::int64_t step = 0; step < kTraceSteps; ++step) {
    const auto terms = run.step(step);
    const auto differences = run.differences(step, terms, trace.at("steps").at(static_cast<std::size_t>(step)));
    // Rounding grows from step to step: the original itself moves this much with its threads.
    EXPECT_LT(differences.at("loss"), step < 2 ? 1e-3 : 1e-2) << "step " << step;
    std::cout << "  step " << step << ": loss differs by " << differences.at("loss") << ", invariance by "
              << differences.at("invariance") << "\n";
  }
}

}  // namespace relic::testing
