#include "views/view_upload.h"

#include <c10/core/StreamGuard.h>
#include <torch/torch.h>

#include "views/device_streams.h"

namespace relic {

ViewUpload::ViewUpload(const torch::Device& gpu, torch::ScalarType type)
    : type_(type), stream_(another_stream(gpu)), most_(torch::full({}, 255.0F).to(gpu)), last_use_(gpu.type()) {}

ViewUpload::~ViewUpload() {
  try {
    stream_.synchronize();
    current_stream(stream_.device()).synchronize();
  } catch (const c10::Error&) {  // whoever uses the device next is told
  }
}

torch::Tensor ViewUpload::pixels(std::int64_t images, int size) {
  return torch::empty(
      {images, 3, size, size},
      torch::TensorOptions().dtype(torch::kByte).memory_format(at::MemoryFormat::ChannelsLast).pinned_memory(true));
}

torch::Tensor ViewUpload::numbers(const torch::Tensor& pixels) const {
  const auto there = pixels.to(stream_.device(), /*non_blocking=*/true);
  auto numbers = torch::empty_like(there, there.options().dtype(type_));
  torch::div_out(numbers, there, most_);
  return numbers;
}

ViewUpload::Batch ViewUpload::begin(const Views& pixels) const {
  const c10::StreamGuard guard(stream_);
  Batch batch{
      {numbers(pixels.global), pixels.local.defined() ? numbers(pixels.local) : torch::Tensor{}, pixels.samples},
      c10::Event(stream_.device_type())};
  batch.arrival.record(stream_);
  return batch;
}

Views ViewUpload::arrive(const Batch& batch) {
  const auto user = current_stream(stream_.device());
  batch.arrival.block(user);
  last_use_.record(user);
  last_use_.block(stream_);
  handed_out_ = batch.views;
  return batch.views;
}

}  // namespace relic
