#include "train/cuda_graph.h"

#include <ATen/core/CachingHostAllocator.h>
#include <ATen/cuda/CUDAGeneratorImpl.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>

#include <exception>

namespace relic {

namespace {

template <typename Work>
void quietly(const Work& work) {
  try {
    work();
  } catch (const std::exception&) {  // there is a better error to tell
  }
}

/// A recording that has failed cannot be ended, and leaves both allocators and the random generator in it.
void clean_up(at::cuda::CUDAGraph& graph, const c10::MempoolId_t& pool) {
  const auto device = c10::cuda::current_device();
  quietly([&] { graph.capture_end(); });
  quietly([&] {
    c10::cuda::CUDACachingAllocator::endAllocateToPool(device, pool);
    c10::cuda::CUDACachingAllocator::releasePool(device, pool);
  });
  quietly([&] {
    auto* const host = at::getHostAllocator(at::kCUDA);
    host->end_allocate_to_pool(pool);
    host->release_pool(pool);
  });
  quietly([&] {
    auto generator = at::cuda::detail::getDefaultCUDAGenerator(device);
    generator.graphsafe_set_state(generator.clone());
  });
}

}  // namespace

struct CudaGraph::Recording {
  at::cuda::CUDAGraph graph;
};

CudaGraph::CudaGraph(const std::function<void()>& work) : recording_(std::make_unique<Recording>()) {
  // A graph's memory is its own: what earlier steps have left in the cache is given back first.
  c10::cuda::device_synchronize();
  c10::cuda::CUDACachingAllocator::emptyCache();
  const auto pool = at::cuda::graph_pool_handle();
  try {
    // Other threads go on allocating pinned memory meanwhile, which must not break the recording.
    recording_->graph.capture_begin(pool, cudaStreamCaptureModeThreadLocal);
    work();
    recording_->graph.capture_end();
  } catch (...) {
    clean_up(recording_->graph, pool);
    throw;
  }
}

CudaGraph::~CudaGraph() = default;

void CudaGraph::replay() { recording_->graph.replay(); }

bool has_cuda_graphs() { return true; }

}  // namespace relic
