#include "train/cuda_graph.h"

#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

namespace relic {

struct CudaGraph::Recording {
  at::cuda::CUDAGraph graph;
};

CudaGraph::CudaGraph(const std::function<void()>& work) : recording_(std::make_unique<Recording>()) {
  // A graph's memory is its own: what earlier steps have left in the cache is given back first.
  c10::cuda::device_synchronize();
  c10::cuda::CUDACachingAllocator::emptyCache();
  // Other threads go on allocating pinned memory meanwhile, which must not break the recording.
  recording_->graph.capture_begin({0, 0}, cudaStreamCaptureModeThreadLocal);
  try {
    work();
  } catch (...) {
    try {
      recording_->graph.capture_end();
    } catch (const std::exception&) {  // the first error tells why
    }
    recording_->graph.reset();
    throw;
  }
  recording_->graph.capture_end();
}

CudaGraph::~CudaGraph() = default;

void CudaGraph::replay() { recording_->graph.replay(); }

bool has_cuda_graphs() { return true; }

}  // namespace relic
