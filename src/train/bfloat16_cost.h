// Whether bfloat16 pays on this processor.
#pragma once

namespace relic {

/// How many times as long a convolution of LibTorch's takes in bfloat16 as in float32 on so many threads, by trying one
/// in turns (a tenth of a second, once in a process). No number of a training may depend on it: a resumed one would be
/// another where the machine is busy.
double bfloat16_cost(int threads);

}  // namespace relic
