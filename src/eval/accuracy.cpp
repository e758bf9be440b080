#include <cmath>
#include <string>

#include "relic/core/text.h"
#include "relic/eval/scores.h"

namespace relic {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

/// End of the Wilson score interval on the side of `sign`.
double wilson(const Accuracy& accuracy, double sign) {
  if (accuracy.total == 0) {
    return sign < 0 ? 0.0 : 1.0;
  }
  const auto n = static_cast<double>(accuracy.total);
  const double p = accuracy.value();
  const double z2 = kZ * kZ;
  const double centre = p + z2 / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + z2 / (4 * n * n));
  return std::fmin(std::fmax((centre + sign * half) / (1 + z2 / n), 0.0), 1.0);
}

}  // namespace

double Accuracy::low() const { return wilson(*this, -1); }

double Accuracy::high() const { return wilson(*this, 1); }

std::string Accuracy::text() const { return interval_text(value(), low(), high()); }

std::string interval_text(double value, double low, double high) {
  const auto percent = [](double share) { return fixed(100 * share, 1); };
  return percent(value) + " % (" + percent(low) + " to " + percent(high) + ")";
}

}  // namespace relic
