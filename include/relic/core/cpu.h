// What of this machine's processor this process may use.
#pragma once

namespace relic {

/// Cores in the affinity mask, limited by the control group's quota (rounded up), at least 1.
int available_cores();

/// Whether the processor multiplies bfloat16 numbers itself: AVX512_BF16 (every processor with AMX_BF16 has it too), or
/// the BF16 extension of 64-bit Arm.
bool has_native_bf16();

}  // namespace relic
