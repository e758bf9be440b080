#include "data/download/http_get.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/text.h"

namespace relic {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int ok = 200;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

/// "bytes 100-199/200", "bytes */200", "bytes 100-199/*".
void read_content_range(std::string_view text, HttpReply& reply) {
  if (!text.starts_with("bytes ")) return;
  const std::string_view range = trimmed(text.substr(6));
  const auto slash = range.find('/');
  if (slash == std::string_view::npos) return;
  reply.range_first = number(range.substr(0, std::min(slash, range.find('-'))));
  reply.range_total = number(range.substr(slash + 1));
}

void read_header_line(std::string_view line, HttpReply& reply) {
  if (line.starts_with("HTTP/")) {
    reply = {};  // what came before was a redirection
    const std::string_view code = line.substr(std::min(line.find(' '), line.size()));
    reply.status = static_cast<int>(number(trimmed(code).substr(0, 3)).value_or(0));
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower_case(std::string(line.substr(0, colon)));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "etag") reply.etag = value;
  if (name == "last-modified") reply.last_modified = value;
  if (name == "content-length") reply.length = number(value);
  if (name == "content-range") read_content_range(value, reply);
}

bool has_body_for_us(const HttpReply& reply) { return reply.status == ok || reply.status == http_partial_content; }

/// What libcurl's callbacks see; no exception may leave them.
struct Transfer {
  const HttpEvents& events;
  HttpReply reply{};
  bool begun = false;
  std::exception_ptr error{};
  Clock::time_point last_sign = Clock::now();

  void begin() {
    if (!std::exchange(begun, true)) events.begin(reply);
  }
};

std::size_t take_header(const char* line, std::size_t one, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.last_sign = Clock::now();
  read_header_line({line, one * size}, transfer.reply);
  return one * size;
}

std::size_t take_data(const char* data, std::size_t one, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.last_sign = Clock::now();
  if (!has_body_for_us(transfer.reply)) return 0;  // ends it: CURLE_WRITE_ERROR
  try {
    transfer.begin();
    transfer.events.data(data, one * size);
    return one * size;
  } catch (...) {
    transfer.error = std::current_exception();
    return 0;
  }
}

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeMulti {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Easy = std::unique_ptr<CURL, FreeEasy>;
using Multi = std::unique_ptr<CURLM, FreeMulti>;
using List = std::unique_ptr<curl_slist, FreeList>;

void start_libcurl() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw Error(std::string("libcurl does not start: ") + curl_easy_strerror(started));
}

void set_request(CURL* easy, const HttpRequest& request, const List& headers) {
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, 10L);
  curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 262144L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "relic_train");
  if (headers) curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  if (request.first > 0) curl_easy_setopt(easy, CURLOPT_RANGE, (std::to_string(request.first) + "-").c_str());
}

/// Until it ends, or nothing has come for too long (then nothing is returned).
std::optional<CURLcode> perform(CURLM* multi, CURL* easy, const HttpRequest& request, Transfer& transfer) {
  constexpr int longest_wait = 100;  // milliseconds
  curl_multi_add_handle(multi, easy);
  const auto detach = [&](CURL* handle) { curl_multi_remove_handle(multi, handle); };
  const std::unique_ptr<CURL, decltype(detach)> attached(easy, detach);
  for (;;) {
    int running = 0;
    const CURLMcode code = curl_multi_perform(multi, &running);
    if (code != CURLM_OK) throw Error(std::string("libcurl: ") + curl_multi_strerror(code));
    int left = 0;
    if (const CURLMsg* message = curl_multi_info_read(multi, &left); message != nullptr) return message->data.result;
    transfer.events.tick();
    if (Clock::now() - transfer.last_sign > request.longest_silence) return std::nullopt;
    curl_multi_poll(multi, nullptr, 0, longest_wait, nullptr);
  }
}

bool may_pass(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_OUT_OF_MEMORY:
      return false;
    default:
      return true;
  }
}

bool may_pass(int status) {
  constexpr int request_timeout = 408;
  constexpr int too_many_requests = 429;
  constexpr int server_error = 500;
  return status == request_timeout || status == http_range_not_satisfiable || status == too_many_requests ||
         status >= server_error;
}

HttpResult judge(std::optional<CURLcode> code, const HttpRequest& request, const Transfer& transfer, const char* text) {
  HttpResult result;
  result.reply = transfer.reply;
  const bool answered = code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR || code == CURLE_WRITE_ERROR;
  if (!code) {
    result.retry = true;
    result.reason =
        "nothing came for " + fixed(std::chrono::duration<double>(request.longest_silence).count(), 1) + " s";
  } else if (answered && !has_body_for_us(transfer.reply)) {
    result.retry = may_pass(transfer.reply.status);
    result.reason = "the server answered " + std::to_string(transfer.reply.status);
  } else if (*code != CURLE_OK) {
    result.retry = may_pass(*code);
    result.reason = *text != '\0' ? text : curl_easy_strerror(*code);
  } else {
    result.whole = true;
  }
  return result;
}

}  // namespace

HttpResult http_get(const HttpRequest& request, const HttpEvents& events) {
  start_libcurl();
  const Easy easy(curl_easy_init());
  const Multi multi(curl_multi_init());
  if (!easy || !multi) throw Error("libcurl does not start: out of memory");
  const List headers(request.if_range.empty() ? nullptr
                                              : curl_slist_append(nullptr, ("If-Range: " + request.if_range).c_str()));
  Transfer transfer{events};
  std::array<char, CURL_ERROR_SIZE> text{};
  set_request(easy.get(), request, headers);
  curl_easy_setopt(easy.get(), CURLOPT_ERRORBUFFER, text.data());
  curl_easy_setopt(easy.get(), CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy.get(), CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, take_data);
  curl_easy_setopt(easy.get(), CURLOPT_WRITEDATA, &transfer);
  const std::optional<CURLcode> code = perform(multi.get(), easy.get(), request, transfer);
  if (transfer.error) std::rethrow_exception(transfer.error);
  HttpResult result = judge(code, request, transfer, text.data());
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(easy.get(), CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK) {
    constexpr curl_off_t day = 86400;
    result.retry_after = std::chrono::seconds(std::clamp(seconds, curl_off_t{0}, day));
  }
  if (result.whole) transfer.begin();  // an empty body
  return result;
}

namespace {

std::optional<std::string> url_part(const std::string& url, CURLUPart part) {
  const std::unique_ptr<CURLU, FreeUrl> parsed(curl_url());
  char* text = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), part, &text, CURLU_URLDECODE) != CURLUE_OK) {
    return std::nullopt;
  }
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

}  // namespace

std::optional<std::string> file_of_url(const std::string& url) {
  // People write blanks and accents as they are, where an address would have %20 and %C3%BC.
  constexpr std::string_view kScheme = "file://";
  std::error_code ignored;
  if (url.starts_with(kScheme) && std::filesystem::exists(url.substr(kScheme.size()), ignored)) {
    return url.substr(kScheme.size());
  }
  return url_part(url, CURLUPART_SCHEME) == "file" ? url_part(url, CURLUPART_PATH) : std::nullopt;
}

bool is_http_url(const std::string& url) {
  const auto scheme = url_part(url, CURLUPART_SCHEME);
  return scheme == "http" || scheme == "https";
}

}  // namespace relic
