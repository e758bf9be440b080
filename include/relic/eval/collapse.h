// Signs of collapse: whether representations of different images still differ.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>

#include "relic/data/dataset.h"
#include "relic/eval/watch.h"
#include "relic/nn/relic.h"

namespace relic {

/// How representations spread over their dimensions.
struct Spread {
  /// Standard deviation of a dimension of the L2-normalised representations, averaged over the D dimensions, times √D:
  /// 0 where all are one point, 1 where they are spread evenly over the sphere (Chen and He 2021, arXiv 2011.10566,
  /// figure 2).
  double deviation = 0;
  /// exp of the entropy of the singular values of the normalised, centred representations (Roy and Vetterli 2007): how
  /// many directions they use, at least 1.
  double effective_rank = 1;
  std::int64_t dimensions = 0;
};
/// Of representations [N, D].
Spread spread_of(const torch::Tensor& x);

/// Mean squared distance of the normalised representations of two views of each image, [N, D] each (Wang and Isola
/// 2020, arXiv 2005.10242): 0 where views of an image are one point, 2 where they are unrelated.
double alignment(const torch::Tensor& x, const torch::Tensor& y);

/// Log of the mean over pairs of different images of exp(−2·squared distance) of the normalised representations [N, D]
/// (the same paper): 0 where all are one point, near −4 where they are spread evenly over the sphere.
double uniformity(const torch::Tensor& x);

struct CollapseSigns {
  Spread features;     ///< of the encoder
  Spread projections;  ///< of the projector, which the loss compares; so are the two below
  double alignment = 0;
  double uniformity = 0;
};

struct CollapseOptions {
  int image_size = 32;             ///< of the views: two global ones of each image
  std::int64_t max_images = 2048;  ///< chosen by the seed
  std::uint64_t seed = 42;         ///< of images and views: the same ones each time
  int workers = 1;
  torch::Device device = torch::kCPU;
  Watch watch{};
};

/// Of a branch in eval mode, in float32; it is left as it was. The data set holds at least two images.
CollapseSigns collapse_signs(Branch& branch, const Dataset& dataset, const CollapseOptions& options);

}  // namespace relic
