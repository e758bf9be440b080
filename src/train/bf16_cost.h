// Whether bfloat16 pays on this processor.
#pragma once

namespace relic {

/// How many times as long a convolution of the encoders takes in bfloat16 as in float32 on so many threads, forward and
/// backward, by trying one (a tenth of a second, once in a process). Processors that say they multiply bfloat16 may do
/// so at half the rate. To be asked where computes_bfloat16_in_float32() is false.
double bf16_cost(int threads);

}  // namespace relic
