// How this process gets its memory from the system.
#pragma once

namespace relic {

/// Keeps memory that is freed, up to what was in use at once. A training frees and takes the same large blocks in every
/// step; by default each comes from the system anew, a page at a time, which costs one step in fifteen of a ResNet-18
/// at 32 pixels. Called before there are threads; does nothing where the C library is not glibc.
void keep_freed_memory();

}  // namespace relic
