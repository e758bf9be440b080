#include "train/own_stream.h"

#include "views/device_streams.h"

namespace relic {

OwnStream::OwnStream(const torch::Device& device) {
  if (device.is_cpu()) return;
  current_stream(device).synchronize();
  guard_.emplace(another_stream(device));
}

OwnStream::~OwnStream() {
  if (!guard_) return;
  try {
    guard_->current_stream().synchronize();
  } catch (const c10::Error&) {  // whoever uses the device next is told
  }
}

}  // namespace relic
