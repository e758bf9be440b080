// How this process gets its memory from the system, and how much there is.
#pragma once

#include <optional>

namespace relic {

/// Keeps memory that is freed for what is needed next, and asks for it in huge pages, unless addresses are limited
/// (ulimit -v, strict overcommit). A training frees and takes the same large blocks in every step; by default each
/// comes from the system anew, a small page at a time. Either costs 7 to 10 % of the time of a ResNet-18 at 32 pixels.
/// Called before there are threads; does nothing where the C library is not glibc.
void keep_freed_memory();

/// Bytes that this process may still take: what the system has without swapping, limited by the control group; none
/// where that cannot be found out.
std::optional<double> available_memory();

}  // namespace relic
