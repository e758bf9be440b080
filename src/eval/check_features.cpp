#include "eval/check_features.h"

#include <ATen/Functions.h>

#include "relic/core/error.h"

namespace relic {

void check_features(const Features& features, std::int64_t classes, const std::string& which) {
  const auto fail = [&](const std::string& what) { throw Error("the " + which + " features " + what); };
  if (!features.x.defined() || features.x.dim() != 2 || !features.labels.defined() || features.labels.dim() != 1 ||
      features.labels.size(0) != features.x.size(0)) {
    fail("need a matrix [N, D] and N labels");
  }
  if (features.x.size(0) == 0 || features.x.size(1) == 0) {
    fail("are empty: a score needs at least one labelled image");
  }
  const auto lowest = features.labels.min().item<std::int64_t>();
  const auto highest = features.labels.max().item<std::int64_t>();
  if (lowest < 0) {
    fail("have images without a label; a score needs a labelled data set");
  }
  if (highest >= classes) {
    fail("have label " + std::to_string(highest) + ", but there are " + std::to_string(classes) + " classes");
  }
  // The sum of |x| is not finite if any entry is not; float32 sums of finite features cannot overflow float64.
  if (!at::sum(features.x.abs(), at::kDouble).isfinite().item<bool>()) {
    fail("hold NaN or infinity: the encoder has diverged");
  }
}

std::int64_t count_equal(const torch::Tensor& a, const torch::Tensor& b) { return a.eq(b).sum().item<std::int64_t>(); }

}  // namespace relic
