#include "data/download/transfer_progress.h"

#include <cmath>
#include <utility>

#include "relic/core/text.h"

namespace relic {

std::string transfer_line(const std::string& name, std::uint64_t done, std::uint64_t total, double bytes_per_second) {
  const auto bytes = static_cast<double>(done);
  const auto whole = static_cast<double>(total);
  std::string line = name;
  if (total > 0) line += "  " + fixed(std::floor(100 * bytes / whole), 0) + " %";
  line += "  " + bytes_text(bytes);
  if (total > 0) line += " of " + bytes_text(whole);
  line += "  " + bytes_text(bytes_per_second) + "/s";
  if (total > done && bytes_per_second > 0) line += "  " + duration_text((whole - bytes) / bytes_per_second) + " left";
  return line;
}

TransferProgress::TransferProgress(std::string name, Show show, Show say)
    : name_(std::move(name)), show_(std::move(show)), say_(std::move(say)) {}

TransferProgress::~TransferProgress() {
  if (show_) show_("");
}

void TransferProgress::at(std::uint64_t done, std::uint64_t total) {
  constexpr std::chrono::milliseconds pause(200);
  constexpr std::chrono::seconds window(10);
  constexpr std::chrono::minutes between_lines(1);
  const Clock::time_point now = Clock::now();
  if (!samples_.empty() && done < samples_.back().done) samples_.clear();  // begun anew
  if (!samples_.empty() && now - samples_.back().time < pause) return;
  samples_.push_back({now, done});
  while (samples_.size() > 2 && now - samples_.front().time > window) samples_.pop_front();
  const double seconds = std::chrono::duration<double>(now - samples_.front().time).count();
  const double rate = seconds > 0 ? static_cast<double>(done - samples_.front().done) / seconds : 0;
  const std::string line = transfer_line(name_, done, total, rate);
  if (show_) show_(line);
  if (say_ && now - last_said_ > between_lines) {
    say_(line);
    last_said_ = now;
  }
}

}  // namespace relic
