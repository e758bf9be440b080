#include "data/download/fetch.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "core/printable.h"
#include "data/download/disk_space.h"
#include "data/download/http_get.h"
#include "relic/core/error.h"
#include "relic/core/text.h"

namespace relic {
namespace {

using std::chrono::milliseconds;

std::string size_text(std::uint64_t bytes) { return bytes_text(static_cast<double>(bytes)); }

/// A weak ETag says that files are alike, not that they are the same bytes.
std::string validator_of(const HttpReply& reply) {
  return reply.etag.empty() || reply.etag.starts_with("W/") ? reply.last_modified : reply.etag;
}

class Fetch {
 public:
  Fetch(const FetchRequest& request, const Patience& patience, PartFile& part, const FetchEvents& events)
      : request_(request), patience_(patience), part_(part), events_(events) {}

  Fetched run();

 private:
  /// Nothing where the file is whole now, else why not.
  std::optional<HttpResult> attempt();
  std::optional<HttpResult> judge(const HttpResult& result);
  bool part_is_whole(const HttpReply& refusal) const;
  void begin(const HttpReply& reply);
  void restart(const HttpReply& reply);
  void go_on(const HttpReply& reply);
  void append(const char* data, std::size_t size);
  void pause(milliseconds time) const;
  void tick() const { events_.tick(done_, total_); }

  const FetchRequest& request_;
  const Patience& patience_;
  PartFile& part_;
  const FetchEvents& events_;

  std::uint64_t first_ = 0;  ///< where the attempt began
  std::uint64_t done_ = 0;   ///< size of the part
  std::uint64_t total_ = 0;
  bool in_pieces_ = false;
  std::string misfit_;  ///< why the reply is no rest of the part
};

/// Thrown by begin to end a transfer; goes no further than attempt.
struct Misfit {};

Fetched Fetch::run() {
  std::uint64_t best = 0;
  milliseconds wait = patience_.first_pause;
  for (int fruitless = 0;;) {
    const std::optional<HttpResult> failure = attempt();
    if (!failure) return in_pieces_ ? Fetched::in_pieces : Fetched::in_one_piece;
    // A transfer that begins anew each time must not go on for ever.
    if (done_ > best) {
      best = done_;
      fruitless = 0;
      wait = patience_.first_pause;
    } else {
      ++fruitless;
    }
    const std::string reason = printable(failure->reason);
    if (!failure->retry || fruitless >= patience_.attempts) {
      throw Error(
          "cannot download " + request_.url + ": " + reason +
          (failure->retry ? " (the last of " + std::to_string(fruitless) + " attempts that brought nothing)" : "") +
          "; " + (failure->retry ? "check the network, try again later" : "check the address") +
          ", or name another one with --dataset_url");
    }
    const milliseconds time = std::min(std::max<milliseconds>(wait, failure->retry_after), patience_.longest_pause);
    events_.log("download cut at " + size_text(done_) + ": " + reason + "; trying again in " +
                fixed(std::chrono::duration<double>(time).count(), 1) + " s");
    pause(time);
    wait = std::min(2 * wait, patience_.longest_pause);
  }
}

std::optional<HttpResult> Fetch::attempt() {
  std::optional<PartOrigin> origin = part_.origin();
  if (origin && origin->url != request_.url) origin.reset();
  first_ = done_ = origin ? part_.size() : 0;
  total_ = origin && origin->total > 0 ? origin->total : request_.bytes;
  misfit_.clear();
  if (first_ > 0) {
    in_pieces_ = true;
    if (first_ == total_) return std::nullopt;
    events_.log("going on at " + size_text(first_) + (total_ > 0 ? " of " + size_text(total_) : ""));
  }
  try {
    return judge(http_get({.url = request_.url,
                           .first = first_,
                           .if_range = origin ? origin->validator : "",
                           .longest_silence = patience_.longest_silence},
                          {.begin = [this](const HttpReply& reply) { begin(reply); },
                           .data = [this](const char* data, std::size_t size) { append(data, size); },
                           .tick = [this] { tick(); }}));
  } catch (const Misfit&) {
    part_.remove();
    done_ = 0;
    return HttpResult{.retry = true, .reason = misfit_};
  }
}

std::optional<HttpResult> Fetch::judge(const HttpResult& result) {
  if (result.whole && (total_ == 0 || done_ == total_)) return std::nullopt;
  if (result.whole) {
    return HttpResult{.retry = true, .reason = "the transfer ended early", .reply = result.reply};
  }
  if (result.reply.status == http_range_not_satisfiable && first_ > 0) {
    if (part_is_whole(result.reply)) return std::nullopt;
    part_.remove();
    done_ = 0;
    HttpResult refused = result;
    refused.reason = "the server has no rest of what is here; beginning anew";
    return refused;
  }
  return result;
}

/// The server has nothing beyond the part: it is complete, or of another file.
bool Fetch::part_is_whole(const HttpReply& refusal) const {
  if (refusal.range_total) return *refusal.range_total == first_;
  return total_ == 0 && request_.checked;
}

void Fetch::begin(const HttpReply& reply) {
  if (reply.status == http_partial_content) {
    go_on(reply);
  } else {
    restart(reply);
  }
  const std::uint64_t missing = total_ > done_ ? total_ - done_ : 0;
  require_space(part_.path().parent_path(), missing + request_.unpacked_bytes,
                part_.path().filename().string() + " and what is unpacked from it");
}

void Fetch::restart(const HttpReply& reply) {
  const std::uint64_t total = reply.length.value_or(0);
  if (request_.bytes > 0 && total > 0 && total != request_.bytes) {
    throw Error(request_.url + ": the file there has " + std::to_string(total) + " bytes, where " +
                std::to_string(request_.bytes) + " are expected; name another address with --dataset_url");
  }
  if (first_ > 0) events_.log("the server does not go on with what is here (or has another file now): beginning anew");
  part_.restart({.url = request_.url, .validator = validator_of(reply), .total = total});
  in_pieces_ = false;
  first_ = done_ = 0;
  total_ = total > 0 ? total : request_.bytes;
}

void Fetch::go_on(const HttpReply& reply) {
  if (first_ == 0 || reply.range_first != first_ || (total_ > 0 && reply.range_total.value_or(total_) != total_)) {
    misfit_ = "the server sent another part, or part of another file; beginning anew";
    throw Misfit();
  }
  if (total_ == 0) total_ = reply.range_total.value_or(0);
}

void Fetch::append(const char* data, std::size_t size) {
  if (total_ > 0 && size > total_ - done_) {
    part_.remove();
    throw Error(request_.url + ": sends more than the " + std::to_string(total_) +
                " bytes that are expected; name another address with --dataset_url");
  }
  try {
    part_.append(data, size);
  } catch (const Error& error) {
    const std::uint64_t missing = total_ > done_ ? total_ - done_ : size;
    throw Error(std::string(error.what()) + " (" + (total_ > 0 ? "" : "at least ") +
                size_text(missing + request_.unpacked_bytes) + " more are needed there; what has come stays)");
  }
  done_ += size;
}

void Fetch::pause(milliseconds time) const {
  constexpr milliseconds step(50);
  const auto end = std::chrono::steady_clock::now() + time;
  for (tick(); std::chrono::steady_clock::now() < end; tick()) {
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(step, end - std::chrono::steady_clock::now()));
  }
}

}  // namespace

Fetched fetch(const FetchRequest& request, const Patience& patience, PartFile& part, const FetchEvents& events) {
  return Fetch(request, patience, part, events).run();
}

}  // namespace relic
