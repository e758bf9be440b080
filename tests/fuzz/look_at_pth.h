// .pth files for fuzzers, and a look at what is read from them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "relic/formats/state_dict.h"

namespace relic::testing {

/// An archive with that data.pkl, storages of a few bytes and the right checksums.
std::string archive_of(std::string_view pickle);

/// Touches both ends of each tensor, which have to lie within its storage.
void look_at(const StateDict& tensors);

/// Reads a file as a model's weights are, and looks at them. Ends in an Error or well.
void look_at_pth(const std::filesystem::path& path);

}  // namespace relic::testing
