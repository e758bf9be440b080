// Work of a GPU beside other work of the same thread.
#pragma once

#include <c10/core/Stream.h>
#include <torch/types.h>

#include <functional>

namespace relic {

/// A second stream, for what is independent of what the current stream is given meanwhile. Can be recorded as part of a
/// CUDA graph. What is made in one of the two may be used and freed in the other, once they are joined: each piece of
/// work begins after all that the current stream was given before.
class SideStream {
 public:
  explicit SideStream(const torch::Device& gpu);
  /// What `work` launches goes to this stream.
  void run(const std::function<void()>& work);
  /// What the current stream is given from here on waits for it.
  void join();

 private:
  c10::Stream stream_;
};

}  // namespace relic
