#include "views/cuda/render_batch.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <string>

#include "relic/core/error.h"
#include "views/arena.h"
#include "views/chain.h"
#include "views/cuda/block_group.cuh"
#include "views/draw.h"

namespace relic {

namespace {

using ops::BlockGroup;

constexpr int max_threads = 512;
constexpr int blocks_with_scratch = 2;  // per multiprocessor

__device__ void write(float* out, float value) { *out = value; }
__device__ void write(__half* out, float value) { *out = __float2half_rn(value); }
__device__ void write(__nv_bfloat16* out, float value) { *out = __float2bfloat16_rn(value); }

template <typename Value>
__global__ void __launch_bounds__(max_threads)
    render_kernel(ResidentImages images, ViewBatch batch, std::size_t arena_bytes, std::uint8_t* scratch) {
  extern __shared__ __align__(16) std::uint8_t shared[];
  __shared__ unsigned total;
  __shared__ alignas(ViewParams) unsigned char drawn[sizeof(ViewParams)];
  auto& params = *reinterpret_cast<ViewParams*>(drawn);
  const BlockGroup group{&total};

  std::uint8_t* const memory = scratch == nullptr ? shared : scratch + blockIdx.x * arena_bytes;
  const ops::ChainMemory parts =
      ops::chain_memory(ops::arena_of<BlockGroup>(batch.spec, images.width, images.height), memory);

  for (int row = static_cast<int>(blockIdx.x); row < batch.views * batch.images; row += static_cast<int>(gridDim.x)) {
    const std::int64_t sample = batch.samples[row % batch.images];
    const int view = batch.first_view + row / batch.images;
    if (threadIdx.x == 0) {
      params = ops::draw_view(batch.spec, {batch.seed, batch.epoch, sample, view}, images.width, images.height);
    }
    __syncthreads();
    const ImageRef image{images.pixels + sample * images.image_bytes(), images.width, images.height};
    const ops::Planes planes = ops::render_planes(group, image, batch.spec, params, parts);
    Value* const out = static_cast<Value*>(batch.out) + static_cast<std::int64_t>(row) * 3 * planes.pixels;
    group.for_each(3 * planes.pixels, [=](int i) {
      write(out + i, static_cast<float>(planes.data[i % 3 * planes.pixels + i / 3]) / 255.0F);
    });
  }
}

void require(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw Error(std::string("views on the GPU: ") + what + ": " + cudaGetErrorString(status));
}

int attribute(cudaDeviceAttr name) {
  int device = 0;
  int value = 0;
  require(cudaGetDevice(&device), "no current device");
  require(cudaDeviceGetAttribute(&value, name, device), "its limits cannot be read");
  return value;
}

template <typename Value>
void launch(const ResidentImages& images, const ViewBatch& batch, const RenderPlan& plan, std::uint8_t* scratch,
            CUstream_st* stream) {
  const bool shared = plan.scratch_bytes == 0;
  const std::size_t shared_bytes = shared ? plan.arena_bytes : 0;
  require(cudaFuncSetAttribute(render_kernel<Value>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)),
          "its shared memory is too small");
  const int blocks = std::min(plan.blocks, batch.views * batch.images);
  render_kernel<Value>
      <<<blocks, plan.threads, shared_bytes, stream>>>(images, batch, plan.arena_bytes, shared ? nullptr : scratch);
  require(cudaGetLastError(), "the kernel cannot be launched");
}

}  // namespace

RenderPlan plan_render(const ViewSpec& spec, const ResidentImages& images, std::int64_t shared_bytes) {
  if (shared_bytes < 0) {
    constexpr int reserve = 1024;  // of each block, by the system; and our own few variables
    shared_bytes = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin) - reserve;
  }
  RenderPlan plan;
  plan.threads = std::clamp(spec.size * spec.size / 4 / 32 * 32, 64, max_threads);
  plan.arena_bytes = ops::arena_of<BlockGroup>(spec, images.width, images.height).bytes;
  plan.blocks = 1 << 30;
  if (static_cast<std::int64_t>(plan.arena_bytes) > shared_bytes) {
    plan.blocks = blocks_with_scratch * attribute(cudaDevAttrMultiProcessorCount);
    plan.scratch_bytes = plan.arena_bytes * static_cast<std::size_t>(plan.blocks);
  }
  return plan;
}

void render_batch(const ResidentImages& images, const ViewBatch& batch, const RenderPlan& plan, std::uint8_t* scratch,
                  CUstream_st* stream) {
  switch (batch.type) {
    case ViewType::float32:
      launch<float>(images, batch, plan, scratch, stream);
      break;
    case ViewType::float16:
      launch<__half>(images, batch, plan, scratch, stream);
      break;
    case ViewType::bfloat16:
      launch<__nv_bfloat16>(images, batch, plan, scratch, stream);
      break;
  }
}

}  // namespace relic
