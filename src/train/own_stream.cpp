#include "train/own_stream.h"

#include <c10/core/impl/VirtualGuardImpl.h>

namespace relic {

c10::Stream current_stream(const torch::Device& device) {
  return c10::impl::VirtualGuardImpl(device.type()).getStream(device);
}

OwnStream::OwnStream(const torch::Device& device) {
  if (device.is_cpu()) return;
  current_stream(device).synchronize();
  guard_.emplace(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device));
}

OwnStream::~OwnStream() {
  if (!guard_) return;
  try {
    guard_->current_stream().synchronize();
  } catch (const c10::Error&) {  // whoever uses the device next is told
  }
}

}  // namespace relic
