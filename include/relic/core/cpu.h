// What of this machine's processor this process may use.
#pragma once

namespace relic {

/// Cores in the affinity mask, limited by the cgroup's quota (rounded up), at least 1.
int available_cores();

/// Whether the processor computes bfloat16 products itself (AVX512_BF16 or AMX_BF16).
bool has_native_bf16();

}  // namespace relic
