#include <gtest/gtest.h>
#include <torch/torch.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "relic/core/error.h"
#include "relic/core/random.h"
#include "relic/data/sample_order.h"
#include "relic/views/render.h"
#include "relic/views/view_params.h"
#include "relic/views/view_source.h"
#include "support/hashed_images.h"
#include "support/temporary_folder.h"

namespace relic {
namespace {

using testing::message_of;

/// Noise images of several sizes, decoded (made) on demand; those in `broken` cannot be read.
class NoiseDataset final : public Dataset {
 public:
  explicit NoiseDataset(std::int64_t size, std::set<std::int64_t> broken = {})
      : size_(size), broken_(std::move(broken)) {}

  [[nodiscard]] std::int64_t size() const override { return size_; }
  ImageRef image(std::int64_t index, Image& scratch) const override {
    ++reads;
    if (broken_.contains(index)) throw BadImage("image " + std::to_string(index) + " is broken");
    if (delay.count() > 0) std::this_thread::sleep_for(delay * (index % 3));
    scratch.resize(20 + static_cast<int>(index % 5) * 7, 18 + static_cast<int>(index % 4) * 11);
    for (std::size_t i = 0; i < scratch.pixels.size(); ++i) {
      scratch.pixels[i] = static_cast<std::uint8_t>(splitmix64(static_cast<std::uint64_t>(index) << 32U | i));
    }
    return scratch.ref();
  }
  [[nodiscard]] int label(std::int64_t) const override { return -1; }
  [[nodiscard]] const std::vector<std::string>& class_names() const override { return names_; }

  mutable std::atomic<int> reads = 0;
  std::chrono::microseconds delay{0};

 private:
  std::int64_t size_;
  std::set<std::int64_t> broken_;
  std::vector<std::string> names_;
};

constexpr int kSide = 24;

ViewSourceOptions options(int workers, std::int64_t first = 0, std::int64_t last = 7) {
  ViewSourceOptions result;
  result.batch_size = 11;
  result.seed = 5;
  result.first_step = first;
  result.last_step = last;
  result.workers = workers;
  return result;
}

void expect_equal(const Views& a, const Views& b) {
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_TRUE(torch::equal(a.global, b.global));
  ASSERT_EQ(a.local.defined(), b.local.defined());
  EXPECT_TRUE(!a.local.defined() || torch::equal(a.local, b.local));
}

std::vector<Views> all_views(ViewSource& source, std::int64_t steps) {
  std::vector<Views> result;
  for (std::int64_t i = 0; i < steps; ++i) result.push_back(source.next());
  return result;
}

TEST(CpuViewSource, GivesFloatViewsInChannelsLastViewAfterView) {
  const NoiseDataset dataset(25);
  const MultiCropSpec spec = multi_crop_for(kSide, 2, 4);
  const auto source = make_cpu_view_source(dataset, spec, options(2));
  SampleOrder order(25, 11, 5);
  for (std::int64_t step = 0; step < 7; ++step) {
    const Views views = source->next();
    ASSERT_EQ(views.samples, order.batch(step));
    ASSERT_EQ(views.global.sizes(), (std::vector<std::int64_t>{22, 3, kSide, kSide}));
    ASSERT_EQ(views.local.sizes(), (std::vector<std::int64_t>{44, 3, kSide * 3 / 7, kSide * 3 / 7}));
    EXPECT_EQ(views.global.scalar_type(), torch::kFloat32);
    EXPECT_TRUE(views.global.is_contiguous(torch::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(views.local.is_contiguous(torch::MemoryFormat::ChannelsLast));
    for (int view = 0; view < 6; ++view) {
      for (std::int64_t i = 0; i < 11; ++i) {
        Image scratch;
        RenderScratch memory;
        const ImageRef image = dataset.image(views.samples[static_cast<std::size_t>(i)], scratch);
        const ViewSpec& kind = spec.of(view);
        const auto params =
            draw_view(kind, {5, step / 2, views.samples[static_cast<std::size_t>(i)], view}, image.width, image.height);
        const auto pixels = torch::empty({kind.size, kind.size, 3}, torch::kUInt8);
        render_view(image, kind, params, memory, pixels.data_ptr<std::uint8_t>());
        const auto got = view < 2 ? views.global[view * 11 + i] : views.local[(view - 2) * 11 + i];
        ASSERT_TRUE(torch::equal(got, pixels.permute({2, 0, 1}).to(torch::kFloat32) / 255)) << view << " " << i;
      }
    }
  }
}

TEST(CpuViewSource, GivesTheSameViewsForAnyNumberOfWorkers) {
  NoiseDataset dataset(40);
  dataset.delay = std::chrono::microseconds(50);
  const MultiCropSpec spec = multi_crop_for(kSide, 2, 4);
  const auto expected = all_views(*make_cpu_view_source(dataset, spec, options(1)), 7);
  for (const int workers : {2, 5}) {
    const auto got = all_views(*make_cpu_view_source(dataset, spec, options(workers)), 7);
    for (std::size_t i = 0; i < 7; ++i) expect_equal(got[i], expected[i]);
  }
}

TEST(CpuViewSource, GoesOnFromAnyStepAsIfItHadNeverStopped) {
  const NoiseDataset dataset(40);  // three steps an epoch
  const MultiCropSpec spec = multi_crop_for(kSide, 2, 1);
  const auto whole = all_views(*make_cpu_view_source(dataset, spec, options(2)), 7);
  for (std::int64_t first = 0; first < 7; ++first) {
    const auto rest = all_views(*make_cpu_view_source(dataset, spec, options(2, first)), 7 - first);
    for (std::int64_t i = first; i < 7; ++i) {
      expect_equal(rest[static_cast<std::size_t>(i - first)], whole[static_cast<std::size_t>(i)]);
    }
  }
}

TEST(CpuViewSource, StaysTwoBatchesAhead) {
  const NoiseDataset dataset(200);
  const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 1, 0), options(3, 0, 15));
  for (int taken = 0; taken < 4; ++taken) {
    const int expected = 11 * (taken + 2);
    for (int i = 0; i < 60000 && dataset.reads < expected; ++i) {  // a minute, on the slowest machine
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(dataset.reads, expected) << "after " << taken << " batches";
    source->next();
  }
}

TEST(CpuViewSource, HasNoLocalViewsWhereNoneAreAsked) {
  const NoiseDataset dataset(25);
  const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 0), options(2));
  const Views views = source->next();
  EXPECT_EQ(views.global.size(0), 22);
  EXPECT_FALSE(views.local.defined());
}

TEST(CpuViewSource, ThrowsWhatTheReaderThrewWhenItsBatchIsDueAndEverAfter) {
  SampleOrder order(40, 11, 5);
  const std::int64_t broken = order.batch(2)[4];
  for (const int workers : {1, 4}) {
    const NoiseDataset dataset(40, {broken});
    const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 4), options(workers));
    EXPECT_EQ(source->next().samples, order.batch(0));
    EXPECT_EQ(source->next().samples, order.batch(1));
    for (int i = 0; i < 2; ++i) {
      try {
        source->next();
        FAIL() << "the broken image was not reported";
      } catch (const Error& error) {
        EXPECT_EQ(std::string(error.what()), "image " + std::to_string(broken) + " is broken");
      }
    }
  }
}

TEST(CpuViewSource, TheNextImageTakesThePlaceOfOnesThatAreLeftOut) {
  SampleOrder order(40, 11, 5);
  const auto samples = order.batch(0);
  const std::int64_t broken = samples[4];
  const NoiseDataset whole(40);
  const auto expected = make_cpu_view_source(whole, multi_crop_for(kSide, 2, 1), options(1))->next();
  std::vector<Views> found;
  for (const int workers : {1, 4}) {
    const NoiseDataset dataset(40, {broken, (broken + 1) % 40});
    std::mutex mutex;
    std::set<std::string> told;
    auto with_holes = options(workers, 0, 1);
    with_holes.left_out = [&](const BadImage& image) {
      const std::lock_guard lock(mutex);
      told.insert(image.what());
    };
    found.push_back(make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 1), with_holes)->next());
    EXPECT_TRUE(told.contains("image " + std::to_string(broken) + " is broken"));
    EXPECT_TRUE(told.contains("image " + std::to_string((broken + 1) % 40) + " is broken"));
  }
  expect_equal(found[0], found[1]);
  for (std::int64_t i = 0; i < 11; ++i) {
    const std::int64_t sample = samples[static_cast<std::size_t>(i)];
    const bool replaced = sample == broken || sample == (broken + 1) % 40;
    EXPECT_NE(torch::equal(found[0].global[i], expected.global[i]), replaced) << sample;
    EXPECT_GT(found[0].global[i].std().item<float>(), 0.01F) << sample;
  }
}

TEST(CpuViewSource, NoImageThatCanBeReadIsAnError) {
  std::set<std::int64_t> all;
  for (std::int64_t i = 0; i < 25; ++i) all.insert(i);
  const NoiseDataset dataset(25, all);
  auto nothing = options(2);
  nothing.left_out = [](const BadImage&) {};
  EXPECT_EQ(message_of<Error>([&] { make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 1), nothing)->next(); }),
            "not one of the 25 images can be read");
}

TEST(CpuViewSource, AnImageWithoutPixelsIsAnError) {
  const testing::HashedImages dataset(std::vector<std::pair<int, int>>(25, {0, 5}));
  const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 1), options(2));
  EXPECT_EQ(message_of<Error>([&] { source->next(); }),
            "image " + std::to_string(SampleOrder(25, 11, 5).batch(0)[0]) + " of the data set is empty: remove it");
}

TEST(CpuViewSource, EndsAfterTheLastStep) {
  const NoiseDataset dataset(40);
  const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 1, 0), options(2, 5, 7));
  source->next();
  source->next();
  EXPECT_EQ(message_of<Error>([&] { source->next(); }), "no views after step 7: the view source ends there");
}

TEST(CpuViewSource, CanBeDestroyedAtAnyMoment) {
  NoiseDataset dataset(200);
  dataset.delay = std::chrono::microseconds(100);
  for (int i = 0; i < 40; ++i) {
    const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 4), options(1 + i % 5, 0, 15));
    if (i % 4 == 1) source->next();
    if (i % 4 == 2) std::this_thread::sleep_for(std::chrono::microseconds(i * 50));
    if (i % 4 == 3) all_views(*source, 3);
  }
  // A source with nothing to do, and one at its end.
  make_cpu_view_source(dataset, multi_crop_for(kSide, 1, 0), options(2, 3, 3)).reset();
  const auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 1, 0), options(2, 0, 2));
  all_views(*source, 2);
}

TEST(CpuViewSource, KeepsViewsValidAfterItsEnd) {
  const NoiseDataset dataset(25);
  auto source = make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 0), options(2));
  const Views views = source->next();
  const auto copy = views.global.clone();
  source->next();
  source.reset();
  EXPECT_TRUE(torch::equal(views.global, copy));
}

TEST(CpuViewSource, RefusesWhatCannotWork) {
  const NoiseDataset dataset(10);
  EXPECT_THROW(make_cpu_view_source(dataset, multi_crop_for(kSide, 2, 0), options(1)), UsageError);
  const NoiseDataset enough(25);
  EXPECT_EQ(message_of<UsageError>([&] { make_cpu_view_source(enough, multi_crop_for(kSide, 2, 0), options(0)); }),
            "no workers to render views: at least one is needed");
}

TEST(ResidentViewSource, IsRefusedOnACpu) {
  const NoiseDataset dataset(25);
  EXPECT_EQ(message_of<Error>([&] { make_resident_view_source(dataset, multi_crop_for(kSide, 2, 0), options(1)); }),
            RELIC_WITH_CUDA ? "views on the GPU: this is no GPU" : "views on the GPU: this is a CPU");
}

#if !RELIC_WITH_CUDA
TEST(ResidentViewSource, IsRefusedWhereNoneIsCompiled) {
  const NoiseDataset dataset(25);
  auto on_gpu = options(1);
  on_gpu.device = torch::Device(torch::kCUDA, 0);
  EXPECT_EQ(message_of<Error>([&] { make_resident_view_source(dataset, multi_crop_for(kSide, 2, 0), on_gpu); }),
            "views on the GPU: this program was built without nvcc");
}
#endif

}  // namespace
}  // namespace relic
