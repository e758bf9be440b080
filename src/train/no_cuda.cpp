// Where no CUDA sources are compiled.
#include "relic/core/error.h"
#include "relic/train/device_memory.h"
#include "train/cuda_graph.h"
#include "train/device_name.h"

namespace relic {

struct CudaGraph::Recording {};

CudaGraph::CudaGraph(const std::function<void()>& /*work*/) { throw Error("this program was built without nvcc"); }

CudaGraph::~CudaGraph() = default;

void CudaGraph::replay() {}

bool has_cuda_graphs() { return false; }

std::string device_name(const torch::Device& device) { return device.str(); }

std::int64_t peak_device_bytes(const torch::Device& /*device*/) { return 0; }
void release_device_memory(const torch::Device& /*device*/) {}
std::int64_t free_device_bytes(const torch::Device& /*device*/) { return 0; }

}  // namespace relic
