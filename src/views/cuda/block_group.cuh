// The group (see views/group.h) that a block of threads is.
#pragma once

namespace relic::ops {

/// Its functions are constexpr so that the phases, which are functions of the host, may call them; what they do, they
/// do on the device.
struct BlockGroup {
  static constexpr int lanes = 1;
  static constexpr bool copies_crop = false;

  unsigned* total;  ///< in shared memory

  template <typename Element>
  constexpr void for_each(int count, const Element& element) const {
#ifdef __CUDA_ARCH__
    for (int i = threadIdx.x; i < count; i += blockDim.x) element(i);
    __syncthreads();
#endif
  }

  template <typename Element>
  constexpr void for_each(int rows, int columns, const Element& element) const {
#ifdef __CUDA_ARCH__
    // A division for each element would cost more than most elements do.
    const int threads = static_cast<int>(blockDim.x);
    const int down = threads / columns;
    const int right = threads % columns;
    int row = static_cast<int>(threadIdx.x) / columns;
    int column = static_cast<int>(threadIdx.x) % columns;
    while (row < rows) {
      element(row, column);
      row += down;
      column += right;
      if (column >= columns) {
        column -= columns;
        ++row;
      }
    }
    __syncthreads();
#endif
  }

  template <typename Term>
  constexpr unsigned sum(int count, const Term& term) const {
#ifdef __CUDA_ARCH__
    if (threadIdx.x == 0) *total = 0;
    __syncthreads();
    unsigned own = 0;
    for (int i = threadIdx.x; i < count; i += blockDim.x) own += term(i);
    for (int lane = 16; lane > 0; lane /= 2) own += __shfl_xor_sync(0xFFFFFFFFU, own, lane);
    if (threadIdx.x % 32 == 0) atomicAdd(total, own);
    __syncthreads();
    const unsigned all = *total;
    __syncthreads();  // before the next sum begins
    return all;
#else
    return 0;
#endif
  }
};

}  // namespace relic::ops
