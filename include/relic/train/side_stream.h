// Work of a GPU beside other work of the same thread.
#pragma once

#include <c10/core/Stream.h>
#include <torch/types.h>

#include <functional>

namespace relic {

/// A second stream, for what is independent of what the current stream is given meanwhile. Can be recorded as part of a
/// CUDA graph.
class SideStream {
 public:
  explicit SideStream(const torch::Device& gpu);
  /// What `beside` launches goes to this stream, what `here` launches to the current one; both begin after all that the
  /// current stream was given before, and what it is given afterwards waits for both, however they end. So what is made
  /// in one of the two may be used and freed in the other.
  void run(const std::function<void()>& beside, const std::function<void()>& here);

 private:
  c10::Stream stream_;
};

}  // namespace relic
