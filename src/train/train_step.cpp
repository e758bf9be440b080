#include "relic/train/train_step.h"

#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "relic/nn/autocast_scope.h"
#include "relic/nn/per_view_statistics.h"

namespace relic {

namespace {

struct Projections {
  torch::Tensor online;  // [O·N, d]
  torch::Tensor target;  // [T·N, d]
};

/// Of the first `count` of views of one size.
torch::Tensor first_views(const torch::Tensor& views, std::int64_t count, std::int64_t batch) {
  return views.narrow(0, 0, count * batch);
}

/// What the online network sees, by size.
std::vector<torch::Tensor> online_images(const Views& views, std::int64_t batch, const ForwardOptions& options) {
  const std::int64_t reused =
      options.local_views_reuse_globals ? std::min(options.local_views, options.global_views) : 0;
  std::vector<torch::Tensor> images{views.global};
  if (reused > 0) images[0] = torch::cat({views.global, first_views(views.global, reused, batch)});
  if (options.local_views > reused) images.push_back(first_views(views.local, options.local_views - reused, batch));
  return images;
}

Projections project(Relic& relic, const Views& views, std::int64_t batch, const ForwardOptions& options,
                    StepProfile* profile, SideStream* beside) {
  const auto through = [&](Branch& branch, const torch::Tensor& images) {
    const PerViewStatistics scope(options.statistics_per_view ? images.size(0) / batch : 1);
    return branch.forward(images);
  };
  Projections projections;
  const auto by_target = [&] {
    enter(profile, StepPart::target_forward);
    const torch::NoGradGuard no_grad;
    projections.target = through(relic.target(), views.global);
  };
  const auto by_online = [&] {
    enter(profile, StepPart::online_forward);
    std::vector<torch::Tensor> online;
    for (const auto& images : online_images(views, batch, options)) online.push_back(through(relic.online(), images));
    projections.online = online.size() == 1 ? online[0] : torch::cat(online);
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
    projections = project(relic, views, batch, options, profile, beside);
  }
  enter(profile, StepPart::loss);
  return relic_loss(projections.online, projections.target, batch, relic.log_temperature, relic.bias, options.loss);
}

}  // namespace relic
