#include <torch/torch.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "relic/core/error.h"
#include "relic/views/render.h"
#include "relic/views/view_params.h"
#include "relic/views/view_source.h"
#include "views/view_upload.h"

namespace relic {

namespace {

constexpr std::size_t batches_ahead = 2;
constexpr std::int64_t images_per_claim = 8;

/// A batch being made. Counts and error are guarded by the source's mutex; the pixels of an image belong to the worker
/// that claimed it, the whole batch, before it is ready, to the one that finished its last.
struct Batch {
  std::int64_t epoch = 0;
  Views views;                            // for a GPU: as bytes
  std::optional<ViewUpload::Batch> sent;  // to the GPU
  std::int64_t claimed = 0;               // images
  std::int64_t finished = 0;              // images
  bool ready = false;
  std::exception_ptr error;  // of the first image that has one, whichever worker met it first
  std::int64_t error_at = std::numeric_limits<std::int64_t>::max();

  void fail(std::int64_t image, std::exception_ptr reason) {
    if (image >= error_at) return;
    error_at = image;
    error = std::move(reason);
  }
};

/// What one worker keeps between images.
struct Workplace {
  Image decoded;
  RenderScratch scratch;
  std::vector<std::uint8_t> pixels;
};

void write_floats(const std::vector<std::uint8_t>& bytes, float* out) {
  for (std::size_t i = 0; i < bytes.size(); ++i) out[i] = static_cast<float>(bytes[i]) / 255.0F;
}

class CpuViewSource final : public ViewSource {
 public:
  CpuViewSource(const Dataset& dataset, const MultiCropSpec& spec, const ViewSourceOptions& options)
      : dataset_(dataset),
        spec_(spec),
        options_(options),
        order_(dataset.size(), options.batch_size, options.seed),
        next_step_(options.first_step) {
    if (options.workers < 1) throw UsageError("no workers to render views: at least one is needed");
    if (!options.device.is_cpu()) upload_.emplace(options.device, options.type);
    try {
      for (int i = 0; i < options.workers; ++i) workers_.emplace_back([this] { work(); });
    } catch (...) {
      stop();
      throw;
    }
  }

  ~CpuViewSource() override { stop(); }
  CpuViewSource(const CpuViewSource&) = delete;
  CpuViewSource& operator=(const CpuViewSource&) = delete;

  Views next() override {
    std::unique_lock lock(mutex_);
    if (batches_.empty() && next_step_ >= options_.last_step) {
      throw Error("no views after step " + std::to_string(options_.last_step) + ": the view source ends there");
    }
    ready_.wait(lock, [this] { return !batches_.empty() && batches_.front()->ready; });
    // A failed batch stays where it is: every later call meets it again.
    const Batch& batch = *batches_.front();
    if (batch.error) std::rethrow_exception(batch.error);
    Views views = batch.sent ? upload_->arrive(*batch.sent) : batch.views;
    batches_.pop_front();
    lock.unlock();
    work_.notify_all();
    return views;
  }

  [[nodiscard]] ViewTimes times() const override {
    const auto seconds = [](const std::atomic<std::int64_t>& spent) {
      return std::chrono::duration<double>(Clock::duration(spent.load())).count();
    };
    return {seconds(data_time_), seconds(view_time_)};
  }

 private:
  using Clock = std::chrono::steady_clock;

  struct Claim {
    Batch* batch = nullptr;
    std::int64_t first = 0;
    std::int64_t count = 0;
  };

  void stop() {
    stopping_ = true;
    { const std::lock_guard lock(mutex_); }  // nobody is between looking at stopping_ and falling asleep
    work_.notify_all();
    for (auto& worker : workers_) worker.join();
  }

  void work() {
    Workplace workplace;
    std::unique_lock lock(mutex_);
    while (true) {
      Claim claim;
      work_.wait(lock, [&] { return stopping_ || claim_images(claim); });
      if (stopping_) return;
      lock.unlock();
      for (std::int64_t i = claim.first; i < claim.first + claim.count && !stopping_; ++i) {
        make_views(*claim.batch, i, workplace);
      }
      lock.lock();
      claim.batch->finished += claim.count;
      if (claim.batch->finished < options_.batch_size) continue;
      lock.unlock();
      if (upload_ && !stopping_) upload(*claim.batch);
      lock.lock();
      claim.batch->ready = true;
      ready_.notify_all();
    }
  }

  // With the mutex held. Only the last batch can have images left.
  bool claim_images(Claim& claim) {
    if (batches_.empty() || batches_.back()->claimed == options_.batch_size) {
      if (batches_.size() == batches_ahead || next_step_ >= options_.last_step) return false;
      open_batch();
    }
    Batch& batch = *batches_.back();
    claim = {&batch, batch.claimed, std::min(images_per_claim, options_.batch_size - batch.claimed)};
    batch.claimed += claim.count;
    return claim.count > 0;
  }

  void open_batch() {
    batches_.push_back(std::make_unique<Batch>());
    Batch& batch = *batches_.back();
    const std::int64_t step = next_step_++;
    try {
      batch.epoch = step / order_.steps_per_epoch();
      batch.views.samples = order_.batch(step);
      batch.views.global = empty_views(spec_.global, spec_.global_count);
      if (spec_.local_count > 0) batch.views.local = empty_views(spec_.local, spec_.local_count);
    } catch (...) {
      batch.fail(0, std::current_exception());
      batch.claimed = batch.finished = options_.batch_size;
      batch.ready = true;
      ready_.notify_all();
    }
  }

  torch::Tensor empty_views(const ViewSpec& spec, int count) const {
    const std::int64_t images = count * options_.batch_size;
    return upload_ ? ViewUpload::pixels(images, spec.size)
                   : torch::empty({images, 3, spec.size, spec.size},
                                  torch::TensorOptions().memory_format(torch::MemoryFormat::ChannelsLast));
  }

  void make_views(Batch& batch, std::int64_t i, Workplace& workplace) {
    try {
      render_image(batch, i, workplace);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      batch.fail(i, std::current_exception());
    }
  }

  /// The sample's image, or that of the first after it that can be read.
  ImageRef read_image(std::int64_t sample, Image& scratch) const {
    const std::int64_t size = dataset_.size();
    for (std::int64_t tried = 0; tried < size; ++tried) {
      try {
        return dataset_.image((sample + tried) % size, scratch);
      } catch (const BadImage& image) {
        if (!options_.left_out) throw;
        options_.left_out(image);
      }
    }
    throw Error("not one of the " + std::to_string(size) + " images can be read");
  }

  void render_image(const Batch& batch, std::int64_t i, Workplace& workplace) {
    const std::int64_t sample = batch.views.samples[static_cast<std::size_t>(i)];
    const auto began = Clock::now();
    const ImageRef image = read_image(sample, workplace.decoded);
    const auto read = Clock::now();
    data_time_ += (read - began).count();
    if (image.width < 1 || image.height < 1) {
      throw Error("image " + std::to_string(sample) + " of the data set is empty: remove it");
    }
    for (int view = 0; view < spec_.count(); ++view) {
      const ViewSpec& spec = spec_.of(view);
      const auto params = draw_view(spec, {options_.seed, batch.epoch, sample, view}, image.width, image.height);
      const std::int64_t bytes = std::int64_t{3} * spec.size * spec.size;
      const bool global = view < spec_.global_count;
      const auto& tensor = global ? batch.views.global : batch.views.local;
      const std::int64_t row = (global ? view : view - spec_.global_count) * options_.batch_size + i;
      if (upload_) {
        render_view(image, spec, params, workplace.scratch, tensor.data_ptr<std::uint8_t>() + row * bytes);
      } else {
        workplace.pixels.resize(static_cast<std::size_t>(bytes));
        render_view(image, spec, params, workplace.scratch, workplace.pixels.data());
        write_floats(workplace.pixels, tensor.data_ptr<float>() + row * bytes);
      }
    }
    view_time_ += (Clock::now() - read).count();
  }

  /// All images of the batch are rendered: nobody else has it.
  void upload(Batch& batch) const {
    if (batch.error) return;
    try {
      batch.sent = upload_->begin(batch.views);
    } catch (...) {
      batch.fail(0, std::current_exception());
    }
  }

  const Dataset& dataset_;
  const MultiCropSpec spec_;
  const ViewSourceOptions options_;
  std::optional<ViewUpload> upload_;  // to a GPU
  std::mutex mutex_;
  std::condition_variable work_;                // a worker may find something to do
  std::condition_variable ready_;               // a batch is finished
  std::deque<std::unique_ptr<Batch>> batches_;  // in order, the next to hand over first; guarded
  SampleOrder order_;                           // guarded
  std::int64_t next_step_;                      // to open; guarded
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> data_time_ = 0;  // of Clock
  std::atomic<std::int64_t> view_time_ = 0;
  std::vector<std::thread> workers_;
};

}  // namespace

std::unique_ptr<ViewSource> make_cpu_view_source(const Dataset& dataset, const MultiCropSpec& spec,
                                                 const ViewSourceOptions& options) {
  return std::make_unique<CpuViewSource>(dataset, spec, options);
}

}  // namespace relic
