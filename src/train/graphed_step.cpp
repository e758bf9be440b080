#include "train/graphed_step.h"

#include <torch/torch.h>

#include <string>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/text.h"
#include "relic/nn/layer_watch.h"

namespace relic {

namespace {

constexpr int kWarmUp = 3;

Views copy_of(const Views& views) {
  return {views.global.clone(), views.local.defined() ? views.local.clone() : torch::Tensor{}, {}};
}

}  // namespace

GraphedStep::GraphedStep(Step step, std::function<void(const std::string&)> fall_back)
    : step_(std::move(step)), fall_back_(std::move(fall_back)) {}

torch::Tensor GraphedStep::run(const Views& views) {
  if (gave_up_ || warmed_up_ < kWarmUp) {
    ++warmed_up_;
    return step_(views);
  }
  if (!graph_ && !record(views)) return step_(views);
  inputs_.global.copy_(views.global, /*non_blocking=*/true);
  if (views.local.defined()) inputs_.local.copy_(views.local, /*non_blocking=*/true);
  graph_->replay();
  return measured_;
}

bool GraphedStep::record(const Views& views) {
  std::string reason;
  try {
    inputs_ = copy_of(views);
    graph_ = std::make_unique<CudaGraph>([this] { measured_ = step_(inputs_); });
    return true;
  } catch (const c10::OutOfMemoryError&) {
    if (!fall_back_) throw;
    reason = "the GPU's memory does not hold it beside the training";
  } catch (const c10::Error& error) {
    reason = one_line(error.what_without_backtrace());
  } catch (const NotFinite&) {  // of the step, not of its recording
    throw;
  } catch (const Error& error) {  // of kernels of our own
    reason = one_line(error.what());
  }
  if (!fall_back_) {
    throw Error("--cuda_graph on: a step cannot be recorded: " + reason + "; use --cuda_graph auto or off");
  }
  fall_back_(reason);
  gave_up_ = true;
  inputs_ = {};
  measured_.reset();
  return false;
}

}  // namespace relic
