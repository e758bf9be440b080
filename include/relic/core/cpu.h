// What of this machine's processor this process may use.
#pragma once

namespace relic {

/// Cores in the affinity mask, limited by the control group's quota (rounded up), at least 1.
int available_cores();

}  // namespace relic
