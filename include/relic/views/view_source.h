// Batches of views on the training device, ready ahead of the step that needs them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relic/data/dataset.h"
#include "relic/data/sample_order.h"
#include "relic/views/view_spec.h"

namespace relic {

/// Views of one batch of N images, view-major (all images of view 0, then of view 1, …), in [0, 1], channels_last,
/// float32 unless a source was asked for another type.
struct Views {
  torch::Tensor global;               // [G·N, 3, S, S]
  torch::Tensor local;                // [L·N, 3, s, s]; undefined without local views
  std::vector<std::int64_t> samples;  // [N], indices in the data set
};

/// What the threads that make views have spent, all together, or a GPU that renders them.
struct ViewTimes {
  double data_seconds = 0;  ///< reading and decoding
  double view_seconds = 0;  ///< drawing and rendering
  /// On a GPU, which is behind the host: the batches whose rendering, beside the training's steps, took that long.
  std::optional<std::int64_t> batches{};
};

/// Gives the batches of a run one after another, in the order of `SampleOrder`.
class ViewSource {
 public:
  virtual ~ViewSource() = default;
  /// Views of the next step. Throws what the reader threw.
  virtual Views next() = 0;
  [[nodiscard]] virtual ViewTimes times() const = 0;
};

struct ViewSourceOptions {
  std::int64_t batch_size = 256;
  std::uint64_t seed = 42;
  std::int64_t first_step = 0;  ///< where a resumed run goes on
  std::int64_t last_step = 0;   ///< one past the last
  int workers = 1;              ///< rendering threads, at least 1
  torch::Device device = torch::kCPU;
  torch::ScalarType type = torch::kFloat;  ///< of views on a GPU: that, or float16, bfloat16; on a CPU: float32
  /// Told, by any worker, of an image that cannot be read; the next one that can takes its place. Without it, the first
  /// such image is an error.
  std::function<void(const BadImage&)> left_out{};
};

/// Decodes and renders in worker threads, two batches ahead, which for a GPU are uploaded as soon as they are ready, in
/// a stream of their own. The views do not depend on the number of workers.
std::unique_ptr<ViewSource> make_cpu_view_source(const Dataset& dataset, const MultiCropSpec& spec,
                                                 const ViewSourceOptions& options);

/// Renders on the GPU, from images that it holds all of (`--device cuda`). The views are those of the CPU; a rounding
/// of the blur may differ. They are made a step ahead in a stream of its own, for which `next` lets the current one
/// wait, not the host.
std::unique_ptr<ViewSource> make_resident_view_source(const Dataset& dataset, const MultiCropSpec& spec,
                                                      const ViewSourceOptions& options);

/// Why a GPU does not render the views of so many images, of one size or none, itself; empty: it does.
std::string why_not_resident(const std::optional<ImageSize>& size, std::int64_t images, const torch::Device& device);
std::string why_not_resident(const Dataset& dataset, const torch::Device& device);

}  // namespace relic
