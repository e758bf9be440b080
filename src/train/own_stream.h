// A stream of a training's own.
#pragma once

#include <c10/core/StreamGuard.h>
#include <torch/types.h>

#include <optional>

namespace relic {

/// On a GPU, what this thread launches within the scope goes to another stream than the default one, which cannot be
/// recorded. Work before it is done when it begins, its own when it ends.
class OwnStream {
 public:
  explicit OwnStream(const torch::Device& device);
  ~OwnStream();
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

 private:
  std::optional<c10::StreamGuard> guard_;
};

}  // namespace relic
