#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/text.h"
#include "relic/views/view_source.h"
#include "views/cuda/render_batch.h"

namespace relic {

namespace {

constexpr double kShareOfMemory = 0.5;
constexpr std::int64_t kUploadBytes = std::int64_t{64} << 20U;

ViewType view_type(torch::ScalarType type) {
  switch (type) {
    case torch::kHalf:
      return ViewType::float16;
    case torch::kBFloat16:
      return ViewType::bfloat16;
    default:
      return ViewType::float32;
  }
}

/// All images in the GPU's memory.
torch::Tensor upload(const Dataset& dataset, const ResidentImages& shape, const torch::Device& device) {
  const std::int64_t image_bytes = shape.image_bytes();
  torch::Tensor all =
      at::empty({dataset.size() * image_bytes + shape.read_ahead()}, at::TensorOptions(device).dtype(at::kByte));
  const std::int64_t chunk = std::clamp<std::int64_t>(kUploadBytes / image_bytes, 1, dataset.size());
  const torch::Tensor staging =
      at::empty({chunk * image_bytes}, at::TensorOptions().dtype(at::kByte).pinned_memory(true));
  auto* const bytes = staging.data_ptr<std::uint8_t>();
  for (std::int64_t first = 0; first < dataset.size(); first += chunk) {
    const std::int64_t count = std::min(chunk, dataset.size() - first);
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      Image scratch;
      for (std::int64_t i = begin; i < end; ++i) {
        const ImageRef image = dataset.image(first + i, scratch);
        if (image.width != shape.width || image.height != shape.height) {
          throw Error("image " + dataset.name(first + i) + " is of another size than the others");
        }
        std::memcpy(bytes + i * image_bytes, image.pixels, static_cast<std::size_t>(image_bytes));
      }
    });
    all.narrow(0, first * image_bytes, count * image_bytes).copy_(staging.narrow(0, 0, count * image_bytes));
  }
  return all;
}

class ResidentViewSource final : public ViewSource {
 public:
  ResidentViewSource(const Dataset& dataset, const MultiCropSpec& spec, const ViewSourceOptions& options)
      : spec_(spec),
        options_(options),
        order_(dataset.size(), options.batch_size, options.seed),
        step_(options.first_step),
        stream_(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, options.device.index())) {
    const c10::DeviceGuard guard(options_.device);
    const ImageSize size = dataset.common_size().value();
    images_ = {nullptr, size.width, size.height};
    pixels_ = upload(dataset, images_, options_.device);
    images_.pixels = pixels_.data_ptr<std::uint8_t>();
    global_ = prepare(spec_.global);
    if (spec_.local_count > 0) local_ = prepare(spec_.local);
  }

  ~ResidentViewSource() override {
    try {
      stream_.synchronize();  // its kernels use our memory, and steps that of the views
      c10::cuda::getCurrentCUDAStream(options_.device.index()).synchronize();
    } catch (const c10::Error&) {  // whoever uses the device next is told
    }
  }
  ResidentViewSource(const ResidentViewSource&) = delete;
  ResidentViewSource& operator=(const ResidentViewSource&) = delete;

  Views next() override {
    if (step_ >= options_.last_step) {
      throw Error("no views after step " + std::to_string(options_.last_step) + ": the view source ends there");
    }
    const c10::DeviceGuard guard(options_.device);
    if (!ahead_) render_step(step_);
    Views views = std::move(*ahead_);
    const auto user = c10::cuda::getCurrentCUDAStream(options_.device.index());
    ahead_is_done_.block(user.unwrap());
    ++step_;
    ahead_.reset();
    // Beside the step that these views are for; into the memory of those before, whose step is done by then.
    last_step_is_done_.record(user.unwrap());
    last_step_is_done_.block(stream_.unwrap());
    if (step_ < options_.last_step) render_step(step_);
    return views;
  }

  [[nodiscard]] ViewTimes times() const override { return {.view_seconds = view_seconds_, .batches = timed_batches_}; }

 private:
  struct Timing {
    c10::Event begin{torch::kCUDA, c10::EventFlag::BACKEND_DEFAULT};
    c10::Event end{torch::kCUDA, c10::EventFlag::BACKEND_DEFAULT};
  };

  struct Kind {
    ViewSpec spec;
    RenderPlan plan;
    torch::Tensor scratch;
  };

  Kind prepare(const ViewSpec& spec) const {
    Kind kind{spec, plan_render(spec, images_), {}};
    if (kind.plan.scratch_bytes > 0) {
      kind.scratch = at::empty({static_cast<std::int64_t>(kind.plan.scratch_bytes)},
                               at::TensorOptions(options_.device).dtype(at::kByte));
    }
    return kind;
  }

  /// Into ahead_, in a stream of our own.
  void render_step(std::int64_t step) {
    const c10::StreamGuard guard(stream_.unwrap());
    const std::int64_t epoch = step / order_.steps_per_epoch();
    if (epoch != epoch_) upload_order(epoch);
    add_up_timings();
    Timing timing;
    timing.begin.record(stream_.unwrap());
    Views views;
    views.samples = order_.batch(step);
    views.global = render(global_, step, 0, spec_.global_count);
    if (spec_.local_count > 0) views.local = render(local_, step, spec_.global_count, spec_.local_count);
    timing.end.record(stream_.unwrap());
    timings_.push_back(std::move(timing));
    ahead_is_done_.record(stream_.unwrap());
    ahead_ = std::move(views);
  }

  /// Of the batches that are rendered by now: nothing is waited for.
  void add_up_timings() {
    for (; !timings_.empty() && timings_.front().end.query(); timings_.pop_front()) {
      view_seconds_ += timings_.front().begin.elapsedTime(timings_.front().end) / 1000;
      ++timed_batches_;
    }
  }

  void upload_order(std::int64_t epoch) {
    const std::int64_t steps = order_.steps_per_epoch();
    const torch::Tensor all =
        at::empty({steps, options_.batch_size}, at::TensorOptions().dtype(at::kLong).pinned_memory(true));
    for (std::int64_t i = 0; i < steps; ++i) {
      const auto samples = order_.batch(epoch * steps + i);
      std::copy(samples.begin(), samples.end(), all.data_ptr<std::int64_t>() + i * options_.batch_size);
    }
    samples_ = all.to(options_.device, /*non_blocking=*/true);
    epoch_ = epoch;
  }

  torch::Tensor render(const Kind& kind, std::int64_t step, int first_view, int count) const {
    const int size = kind.spec.size;
    torch::Tensor views = at::empty(
        {count * options_.batch_size, 3, size, size},
        at::TensorOptions(options_.device).dtype(options_.type).memory_format(at::MemoryFormat::ChannelsLast));
    ViewBatch batch;
    batch.spec = kind.spec;
    batch.first_view = first_view;
    batch.views = count;
    batch.seed = options_.seed;
    batch.epoch = epoch_;
    batch.samples = samples_.data_ptr<std::int64_t>() + step % order_.steps_per_epoch() * options_.batch_size;
    batch.images = static_cast<int>(options_.batch_size);
    batch.out = views.data_ptr();
    batch.type = view_type(options_.type);
    render_batch(images_, batch, kind.plan, kind.scratch.defined() ? kind.scratch.data_ptr<std::uint8_t>() : nullptr,
                 stream_.stream());
    return views;
  }

  const MultiCropSpec spec_;
  const ViewSourceOptions options_;
  SampleOrder order_;
  ResidentImages images_;
  torch::Tensor pixels_;  // what images_ points to
  Kind global_;
  Kind local_;
  torch::Tensor samples_;  // [steps, N], of epoch_
  std::int64_t epoch_ = -1;
  std::int64_t step_;  // that `next` gives
  c10::cuda::CUDAStream stream_;
  std::optional<Views> ahead_;  // of step_
  c10::Event ahead_is_done_{torch::kCUDA};
  c10::Event last_step_is_done_{torch::kCUDA};
  std::deque<Timing> timings_;  // of batches that are not rendered yet
  double view_seconds_ = 0;
  std::int64_t timed_batches_ = 0;
};

}  // namespace

std::unique_ptr<ViewSource> make_resident_view_source(const Dataset& dataset, const MultiCropSpec& spec,
                                                      const ViewSourceOptions& options) {
  if (const auto reason = why_not_resident(dataset, options.device); !reason.empty()) {
    throw Error("views on the GPU: " + reason);
  }
  return std::make_unique<ResidentViewSource>(dataset, spec, options);
}

std::string why_not_resident(const std::optional<ImageSize>& size, std::int64_t images, const torch::Device& device) {
  if (!device.is_cuda()) return "this is no GPU";
  if (!size) return "the sizes of its images are not known before they are read";
  const c10::DeviceGuard guard(device);
  std::size_t free = 0;
  std::size_t total = 0;
  if (cudaMemGetInfo(&free, &total) != cudaSuccess) return "the GPU does not tell how much of its memory is free";
  const double most = kShareOfMemory * static_cast<double>(free);
  const double needed = static_cast<double>(images) * 3 * size->width * size->height;
  if (needed > most) {
    return "its images take " + bytes_text(needed) + ", and half of the GPU's free memory is " + bytes_text(most);
  }
  return {};
}

}  // namespace relic
