// What of this machine's processor this process may use.
#pragma once

#include <string>

namespace relic {

/// Cores in the affinity mask, limited by the control group's quota (rounded up), at least 1.
int available_cores();

/// What the kernel calls this machine's processor: name, family and model.
std::string processor_name();

}  // namespace relic
