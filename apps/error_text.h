// What ends the program, in words.
#pragma once

#include <exception>
#include <string>

namespace relic {

/// An Error's message as it is; of others, a line that says what they mean here.
std::string error_text(const std::exception& error);

/// Whether it says that a GPU's memory does not suffice: LibTorch's own allocator, CUDA, or one of the libraries that
/// allocate by themselves.
bool is_out_of_gpu_memory(const std::exception& error);

}  // namespace relic
