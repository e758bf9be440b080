#include "relic/nn/per_view_statistics.h"

namespace relic {

namespace {

thread_local std::int64_t views_of_a_batch = 1;

}  // namespace

PerViewStatistics::PerViewStatistics(std::int64_t views) : before_(views_of_a_batch) { views_of_a_batch = views; }

PerViewStatistics::~PerViewStatistics() { views_of_a_batch = before_; }

std::int64_t PerViewStatistics::views() { return views_of_a_batch; }

}  // namespace relic
