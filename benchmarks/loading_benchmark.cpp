// Images a second from files on the disk to batches of views, by the training's own loader.
//   loading_benchmark FOLDER SIZE WORKERS BATCH SECONDS
// reads FOLDER as the data set `folder`, for two global views of SIZE pixels and four local ones; prints images/s of
// the batches after the first two.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "relic/data/dataset.h"
#include "relic/views/view_source.h"

namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int measure(char** argv) {
  const int size = std::atoi(argv[2]);
  const std::int64_t batch = std::atoll(argv[4]);
  const double seconds = std::atof(argv[5]);
  const auto images = relic::open_dataset({.name = "folder", .path = argv[1], .split = relic::Split::pretraining});
  const auto source = relic::make_cpu_view_source(
      *images, relic::multi_crop_for(size, 2, 4),
      {.batch_size = batch, .last_step = std::int64_t{1} << 40, .workers = std::atoi(argv[3])});
  source->next();
  source->next();
  const double began = seconds_now();
  std::int64_t done = 0;
  do {
    source->next();
    done += batch;
  } while (seconds_now() - began < seconds);
  std::printf("%.1f\n", static_cast<double>(done) / (seconds_now() - began));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: loading_benchmark FOLDER SIZE WORKERS BATCH SECONDS\n", stderr);
    return 2;
  }
  try {
    return measure(argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 1;
  }
}
