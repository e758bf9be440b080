#include "relic/train/metrics.h"

#include "relic/core/text.h"

namespace relic {

namespace {
constexpr const char* kHeading =
    "step,epoch,loss,invariance_loss,gamma,temperature,bias,learning_rate,top1,top5,images_per_second\n";
}

MetricsFile::MetricsFile(const std::filesystem::path& path) : file_(path) {}

void MetricsFile::append(const StepMetrics& m) {
  std::string row = file_.size() == 0 ? kHeading : "";
  row += std::to_string(m.step) + "," + std::to_string(m.epoch);
  for (const double value :
       {m.loss, m.invariance_loss, m.gamma, m.temperature, m.bias, m.learning_rate, m.top1, m.top5}) {
    row += "," + shortest(value);
  }
  file_.append(row + "," + fixed(m.images_per_second, 1) + "\n");
}

}  // namespace relic
