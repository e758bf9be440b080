#include "data/download/disk_space.h"

#include <system_error>

#include "relic/core/error.h"
#include "relic/core/text.h"

namespace relic {

void require_space(const std::filesystem::path& folder, std::uint64_t bytes, const std::string& what_for) {
  std::error_code unknown;
  const std::filesystem::space_info space = std::filesystem::space(folder, unknown);
  if (unknown || space.available >= bytes) return;
  throw Error("no space for " + what_for + " in " + folder.string() + ": " + bytes_text(static_cast<double>(bytes)) +
              " are needed and " + bytes_text(static_cast<double>(space.available)) +
              " are free; free some space or choose another --dataset_path");
}

}  // namespace relic
