// Whether a disk has room for what is to come.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace relic {

/// Throws Error, with what is needed and what is free, where `folder`'s disk has less than `bytes` free. A file system
/// that does not tell counts as large enough.
void require_space(const std::filesystem::path& folder, std::uint64_t bytes, const std::string& what_for);

}  // namespace relic
