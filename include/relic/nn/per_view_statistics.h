// BatchNorm's statistics of each view on its own.
#pragma once

#include <cstdint>

namespace relic {

/// For a scope of this thread, a batch in train mode is that many views, all images of one after all of the one before,
/// and each is normalised by its own statistics, which move the running ones in order: the numbers of a pass per view,
/// of one pass.
class PerViewStatistics {
 public:
  explicit PerViewStatistics(std::int64_t views);
  ~PerViewStatistics();
  PerViewStatistics(const PerViewStatistics&) = delete;
  PerViewStatistics& operator=(const PerViewStatistics&) = delete;

  /// 1 outside of any scope.
  static std::int64_t views();

 private:
  std::int64_t before_;
};

}  // namespace relic
