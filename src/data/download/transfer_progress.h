// How far a transfer is: rate and time left.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>

namespace relic {

/// "archive.zip  45 %  76.5 MB of 170.1 MB  3.2 MB/s  0:29 left"; where the whole is not known (0) without its fields,
/// where nothing comes without the time.
std::string transfer_line(const std::string& name, std::uint64_t done, std::uint64_t total, double bytes_per_second);

/// Shows that line a few times a second, and says it once a minute to who only sees whole lines. The rate is that of
/// the last ten seconds.
class TransferProgress {
 public:
  using Show = std::function<void(const std::string& line)>;
  TransferProgress(std::string name, Show show, Show say);
  ~TransferProgress();
  TransferProgress(const TransferProgress&) = delete;
  TransferProgress& operator=(const TransferProgress&) = delete;

  void at(std::uint64_t done, std::uint64_t total);

 private:
  using Clock = std::chrono::steady_clock;
  struct Sample {
    Clock::time_point time;
    std::uint64_t done;
  };

  std::string name_;
  Show show_;
  Show say_;
  std::deque<Sample> samples_;
  Clock::time_point last_said_ = Clock::now();
};

}  // namespace relic
