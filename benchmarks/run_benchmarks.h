// The main of a program whose benchmarks are made at run time.
#pragma once

#include <benchmark/benchmark.h>

#include "relic/core/heap.h"

/// `add` registers the benchmarks; returns the exit status.
inline int run_benchmarks(int argc, char** argv, void (*add)()) {
  relic::keep_freed_memory();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  add();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
