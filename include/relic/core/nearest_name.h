// "Did you mean": the known name closest to a misspelled one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace relic {

/// The candidate with the fewest inserted, removed, replaced or swapped letters, the first of several; empty where even
/// that one differs in more than half of the longer word.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace relic
