// How files are opened here.
#pragma once

#include <filesystem>
#include <string_view>

namespace relic {

/// A descriptor, closed on exec. Throws Error: "cannot WHAT PATH: reason; what to do".
int open_or_fail(std::string_view what, const std::filesystem::path& path, int flags);

}  // namespace relic
