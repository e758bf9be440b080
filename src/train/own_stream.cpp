#include "train/own_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace relic {

OwnStream::OwnStream(const torch::Device& device) {
  if (device.is_cpu()) return;
  const c10::impl::VirtualGuardImpl streams(device.type());
  streams.getStream(device).synchronize();
  guard_.emplace(streams.getStreamFromGlobalPool(device));
}

OwnStream::~OwnStream() {
  if (!guard_) return;
  try {
    guard_->current_stream().synchronize();
  } catch (const c10::Error&) {  // whoever uses the device next is told
  }
}

}  // namespace relic
