#include "fuzz/look_at_pth.h"

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "formats/archives.h"
#include "relic/formats/pth.h"

namespace relic::testing {
namespace {

/// Reads the first byte and the last one itself: LibTorch, which is not instrumented, would not be found out.
void look_at_ends(const at::Tensor& tensor) {
  if (tensor.numel() == 0) return;
  std::int64_t last = 0;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) last += (tensor.size(i) - 1) * tensor.stride(i);
  const auto item = static_cast<std::int64_t>(tensor.element_size());
  const auto* const bytes = static_cast<const volatile char*>(tensor.data_ptr());
  static_cast<void>(bytes[0]);
  static_cast<void>(bytes[last * item + item - 1]);
}

}  // namespace

std::string archive_of(std::string_view pickle) {
  const std::string data(48, '\1');
  return make_archive({{"data.pkl", std::string(pickle)},
                       {"data/0", data},
                       {"data/1", data},
                       {"data/2", data},
                       {"data/3", data},
                       {"data/4", ""}});
}

void look_at(const StateDict& tensors) {
  for (const auto& [name, tensor] : tensors) look_at_ends(tensor);
}

void look_at_pth(const std::filesystem::path& path) { look_at(read_state_dict(path)); }

}  // namespace relic::testing
