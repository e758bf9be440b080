// One request for a file, or the rest of one, over HTTP.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace relic {

/// Those replies that say something about ranges.
inline constexpr int http_partial_content = 206;
inline constexpr int http_range_not_satisfiable = 416;

struct HttpRequest {
  std::string url;          ///< http or https; redirections to these two are followed
  std::uint64_t first = 0;  ///< the byte to begin with
  std::string if_range{};   ///< validator: from `first` on only where the file is still that one; empty: in any case
  std::chrono::milliseconds longest_silence{};
};

/// What the last server in a chain of redirections said before the body.
struct HttpReply {
  int status = 0;
  std::string etag{};
  std::string last_modified{};
  std::optional<std::uint64_t> length{};       ///< of the body
  std::optional<std::uint64_t> range_first{};  ///< from Content-Range
  std::optional<std::uint64_t> range_total{};
};

struct HttpResult {
  bool whole = false;    ///< the body came to its end
  bool retry = false;    ///< else: whether another time it may
  std::string reason{};  ///< else: why not, for people
  std::chrono::seconds retry_after{0};
  HttpReply reply{};
};

struct HttpEvents {
  std::function<void(const HttpReply& reply)> begin{};  ///< once, before the body of a reply 200 or 206
  std::function<void(const char* data, std::size_t size)> data{};
  std::function<void()> tick{};  ///< several times a second
};

/// What an event throws ends the transfer and is thrown on.
HttpResult http_get(const HttpRequest& request, const HttpEvents& events);

/// The file that a file:// address names; none for any other address.
std::optional<std::string> file_of_url(const std::string& url);
/// Whether it is an address that http_get takes.
bool is_http_url(const std::string& url);

}  // namespace relic
