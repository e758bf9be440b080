// Code that is compiled several times, for the vectors of several processors.
#pragma once

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
using OnAvx512 = OnNothing;
using OnAvx2 = OnNothing;

#endif

}  // namespace relic
