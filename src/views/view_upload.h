// The way of views that the CPU has rendered to a GPU.
#pragma once

#include <c10/core/Event.h>
#include <c10/core/Stream.h>
#include <torch/types.h>

#include <cstdint>

#include "relic/views/view_source.h"

namespace relic {

/// Copies batches in a stream of its own, beside the steps before them. Bytes travel, a quarter of float32's; numbers
/// are made of them there, the CPU's own.
class ViewUpload {
 public:
  /// A batch under way.
  struct Batch {
    Views views;
    c10::Event arrival;
  };

  /// `type`: float32, float16 or bfloat16, of the views there.
  ViewUpload(const torch::Device& gpu, torch::ScalarType type);
  ~ViewUpload();
  ViewUpload(const ViewUpload&) = delete;
  ViewUpload& operator=(const ViewUpload&) = delete;

  /// Memory from where a GPU reads by itself: [images, 3, size, size], uint8, channels_last.
  [[nodiscard]] static torch::Tensor pixels(std::int64_t images, int size);

  /// Sends pixels, in 0 to 255, on their way, from any thread. Does not wait until they are there.
  [[nodiscard]] Batch begin(const Views& pixels) const;
  /// What the calling thread launches from here on waits for the batch, in [0, 1]; the host does not. What it has
  /// launched before is all that reads the batch handed out last: its memory is used again after that.
  [[nodiscard]] Views arrive(const Batch& batch);

 private:
  [[nodiscard]] torch::Tensor numbers(const torch::Tensor& pixels) const;

  torch::ScalarType type_;
  c10::Stream stream_;
  torch::Tensor most_;  // 255, on the GPU: by a number of the host, the division would be a product with its inverse
  Views handed_out_;    // the last ones
  c10::Event last_use_;
};

}  // namespace relic
