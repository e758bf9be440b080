// Whether bfloat16 pays on this processor.
#pragma once

namespace relic {

/// How many times as long a convolution of LibTorch's takes in bfloat16 as in float32, by trying one in turns (a tenth
/// of a second, once in a process). Processors with a matrix unit take a fraction; those that say they multiply
/// bfloat16 may do so at half the rate, and those that do not say so take many times as long: what depends on it must
/// not stand near a processor's figure, so that all processes of a training decide alike.
double bfloat16_cost();

}  // namespace relic
