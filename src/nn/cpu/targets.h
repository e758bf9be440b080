// Code that is compiled several times, for the vectors of several processors.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace relic {

// Flattened, so that everything inside is compiled for the function's own vectors. Clang ignores that, and its code
// would be slower than LibTorch's.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

/// `available`: whether this processor can run it; `run` calls `step`.
struct OnAvx512 {
  static bool available() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  }
  template <auto step, typename... Arguments>
  [[gnu::flatten, gnu::target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")]] static void run(
      Arguments... arguments) {
    step(arguments...);
  }
};

/// AMD's instructions for bfloat16 multiply twice as many as float32's do; Intel's were measured at half of them.
inline bool has_fast_bfloat16_vectors() { return __builtin_cpu_supports("avx512bf16") && __builtin_cpu_is("amd"); }

struct OnAvx2 {
  static bool available() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
  template <auto step, typename... Arguments>
  [[gnu::flatten, gnu::target("avx2,fma")]] static void run(Arguments... arguments) {
    step(arguments...);
  }
};

#else

struct OnNothing {
  static bool available() { return false; }
  template <auto step, typename... Arguments>
  static void run(Arguments... arguments) {
    step(arguments...);
  }
};
inline bool has_fast_bfloat16_vectors() { return false; }
using OnAvx512 = OnNothing;
using OnAvx2 = OnNothing;

#endif

/// Of code compiled for several vectors, the widest first: that which this processor has and these channels fill; null:
/// none.
template <typename Compiled>
const Compiled* that_runs(std::initializer_list<const Compiled*> widest_first, std::int64_t channels) {
  for (const Compiled* compiled : widest_first) {
    if (compiled->available() && channels % compiled->lanes == 0) {
      return compiled;
    }
  }
  return nullptr;
}

}  // namespace relic
