#include "relic/train/side_stream.h"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>

#include "views/device_streams.h"

namespace relic {

namespace {

/// What `second` is given from here on waits for what `first` was given before.
void order(const c10::Stream& first, const c10::Stream& second) {
  c10::Event done(first.device_type());
  done.record(first);
  done.block(second);
}

}  // namespace

SideStream::SideStream(const torch::Device& gpu) : stream_(another_stream(gpu)) {}

void SideStream::run(const std::function<void()>& beside, const std::function<void()>& here) {
  const auto current = current_stream(stream_.device());
  order(current, stream_);
  try {
    {
      const c10::StreamGuard guard(stream_);
      beside();
    }
    here();
  } catch (...) {
    try {
      order(stream_, current);
    } catch (const c10::Error&) {  // what ended the work is told
    }
    throw;
  }
  order(stream_, current);
}

}  // namespace relic
