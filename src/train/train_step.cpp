#include "relic/train/train_step.h"

#include <torch/torch.h>

#include <vector>

#include "relic/nn/autocast_scope.h"

namespace relic {

namespace {

torch::Tensor one_view(const torch::Tensor& views, std::int64_t view, std::int64_t batch) {
  return views.narrow(0, view * batch, batch);
}

struct Projections {
  torch::Tensor online;  // [O·N, d]
  torch::Tensor target;  // [T·N, d]
};

/// BatchNorm's running statistics move once per pass, so the order of the passes is the original's: each global view
/// through online and target, then the locals.
Projections project_per_view(Relic& relic, const Views& views, std::int64_t batch, const ForwardOptions& options,
                             StepProfile* profile) {
  std::vector<torch::Tensor> online;
  std::vector<torch::Tensor> target;
  for (std::int64_t view = 0; view < options.global_views; ++view) {
    const auto images = one_view(views.global, view, batch);
    enter(profile, StepPart::online_forward);
    online.push_back(relic.online().forward(images));
    enter(profile, StepPart::target_forward);
    const torch::NoGradGuard no_grad;
    target.push_back(relic.target().forward(images));
  }
  enter(profile, StepPart::online_forward);
  for (std::int64_t view = 0; view < options.local_views; ++view) {
    const bool reused = options.local_views_reuse_globals && view < options.global_views;
    const auto local = options.local_views_reuse_globals ? view - options.global_views : view;
    online.push_back(
        relic.online().forward(reused ? one_view(views.global, view, batch) : one_view(views.local, local, batch)));
  }
  return {torch::cat(online), torch::cat(target)};
}

Projections project_together(Relic& relic, const Views& views, const ForwardOptions& options, StepProfile* profile,
                             SideStream* beside) {
  Projections projections;
  const auto by_target = [&] {
    enter(profile, StepPart::target_forward);
    const torch::NoGradGuard no_grad;
    projections.target = relic.target().forward(views.global);
  };
  const auto by_online = [&] {
    enter(profile, StepPart::online_forward);
    projections.online = relic.online().forward(views.global);
    if (options.local_views > 0) {
      projections.online = torch::cat({projections.online, relic.online().forward(views.local)});
    }
  };
  if (beside != nullptr) {
    beside->run(by_target, by_online);
  } else if (views.global.is_cuda()) {  // stochastic depth draws for both from a GPU's one generator: in the same order
    by_target();
    by_online();
  } else {
    by_online();
    by_target();
  }
  return projections;
}

}  // namespace

LossTerms forward_views(Relic& relic, const Views& views, std::int64_t batch, const ForwardOptions& options,
                        StepProfile* profile, SideStream* beside) {
  Projections projections;
  {
    const AutocastScope autocast(views.global.device().type(), options.autocast);
    projections = options.pass_per_view || options.local_views_reuse_globals
                      ? project_per_view(relic, views, batch, options, profile)
                      : project_together(relic, views, options, profile, beside);
  }
  enter(profile, StepPart::loss);
  return relic_loss(projections.online, projections.target, batch, relic.log_temperature, relic.bias, options.loss);
}

}  // namespace relic
