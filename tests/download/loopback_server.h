// An HTTP server on 127.0.0.1 that answers as badly as a test asks for.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace relic::testing {

struct Request {
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case

  /// N of "Range: bytes=N-"; 0 without one.
  [[nodiscard]] std::size_t first_byte() const;
};

/// One request's way back; closed after the answer.
class Connection {
 public:
  Connection(int descriptor, const std::atomic<bool>& ending) : descriptor_(descriptor), ending_(ending) {}
  void send(std::string_view bytes);
  /// Says nothing more until the other side hangs up.
  void stall();

 private:
  int descriptor_;
  const std::atomic<bool>& ending_;
};

class LoopbackServer {
 public:
  /// `number`: how many requests came before.
  using Answer = std::function<void(const Request& request, std::size_t number, Connection& connection)>;

  explicit LoopbackServer(Answer answer);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  [[nodiscard]] std::string url(const std::string& path = "/small.tar.gz") const;
  [[nodiscard]] std::vector<Request> requests() const;

 private:
  void serve();

  Answer answer_;
  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_ = false;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::thread thread_;
};

/// A file as a sound server sends it.
struct ServedFile {
  std::string contents;
  std::string etag{};  ///< with the quotes; empty: none is sent
  bool knows_ranges = true;
  std::size_t cut_at = SIZE_MAX;  ///< the connection ends before this byte of the file

  void answer(const Request& request, Connection& connection) const;
};

/// "HTTP/1.1 STATUS", headers ("Name: value\r\n" each) and the empty line.
std::string head(const std::string& status, const std::string& headers = "");
/// A whole answer with that body.
std::string reply(const std::string& status, const std::string& body = "", const std::string& headers = "");

}  // namespace relic::testing
