// Work on a GPU that is recorded once and launched whole from then on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace relic {

/// What the work reads and writes must stay where it was when it was recorded; nothing in it may wait for the GPU.
class CudaGraph {
 public:
  /// Records `work`, which does not run, in the current stream (not the default one). Throws what `work` throws, or
  /// c10::Error, where something in it cannot be recorded, and Error where this program can record nothing.
  explicit CudaGraph(const std::function<void()>& work);
  ~CudaGraph();
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void replay();

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
};

/// Whether this program can do that.
bool has_cuda_graphs();

}  // namespace relic
