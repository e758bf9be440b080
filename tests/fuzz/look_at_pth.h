// A .pth file read as a model's weights are.
#pragma once

#include <filesystem>

namespace relic::testing {

/// Reads a file and looks at its tensors. Ends in an Error, or with every tensor within its storage.
void look_at_pth(const std::filesystem::path& path);

}  // namespace relic::testing
