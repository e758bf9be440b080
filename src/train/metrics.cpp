#include "relic/train/metrics.h"

#include "relic/core/text.h"

namespace relic {

namespace {

constexpr const char* kHeading =
    "step,epoch,loss,invariance_loss,gamma,temperature,bias,learning_rate,top1,top5,held_out_linear,held_out_"
    "neighbours,"
    "feature_deviation,feature_rank,projection_deviation,projection_rank,alignment,uniformity,test_linear,"
    "test_neighbours,images_per_second\n";
// Columns that only the rows of steps, of evaluations, of test scores fill; a step's last one is its rate.
constexpr std::size_t kStepColumns = 8;
constexpr std::size_t kRateColumn = 1;
constexpr std::size_t kEvaluationColumns = 8;
constexpr std::size_t kTestColumns = 2;

std::string start_of_row(std::int64_t step, std::int64_t epoch) {
  return std::to_string(step) + "," + std::to_string(epoch);
}

std::string empty_columns(std::size_t count) { return std::string(count, ','); }

}  // namespace

MetricsFile::MetricsFile(const std::filesystem::path& path) : file_(path) {}

void MetricsFile::append_row(const std::string& row) { file_.append((file_.size() == 0 ? kHeading : "") + row + "\n"); }

void MetricsFile::append(const StepMetrics& m) {
  std::string row = start_of_row(m.step, m.epoch);
  for (const double value :
       {m.loss, m.invariance_loss, m.gamma, m.temperature, m.bias, m.learning_rate, m.top1, m.top5}) {
    row += "," + shortest(value);
  }
  append_row(row + empty_columns(kEvaluationColumns + kTestColumns) + "," + fixed(m.images_per_second, 1));
}

void MetricsFile::append(std::int64_t step, std::int64_t epoch, const Evaluation& evaluation) {
  std::string row = start_of_row(step, epoch) + empty_columns(kStepColumns);
  const auto& scores = evaluation.held_out;
  row += scores ? "," + shortest(scores->linear.value()) + "," + shortest(scores->neighbours.value()) : ",,";
  const auto& signs = evaluation.signs;
  for (const double value : {signs.features.deviation, signs.features.effective_rank, signs.projections.deviation,
                             signs.projections.effective_rank, signs.alignment, signs.uniformity}) {
    row += "," + shortest(value);
  }
  append_row(row + empty_columns(kTestColumns + kRateColumn));
}

void MetricsFile::append_test_scores(std::int64_t step, std::int64_t epoch, double linear, double neighbours) {
  append_row(start_of_row(step, epoch) + empty_columns(kStepColumns + kEvaluationColumns) + "," + shortest(linear) +
             "," + shortest(neighbours) + empty_columns(kRateColumn));
}

}  // namespace relic
