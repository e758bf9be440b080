#include "download/loopback_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <sstream>
#include <system_error>
#include <utility>

namespace relic::testing {
namespace {

void require(bool done, const char* what) {
  if (!done) throw std::system_error(errno, std::generic_category(), what);
}

Request read_request(int descriptor) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.find("\r\n\r\n") == std::string::npos) {
    const ssize_t count = ::recv(descriptor, buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  Request request;
  std::istringstream lines(text);
  std::string method;
  std::string line;
  lines >> method >> request.path;
  std::getline(lines, line);
  while (std::getline(lines, line) && line != "\r") {
    const auto colon = line.find(": ");
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    request.headers[name] = line.substr(colon + 2, line.size() - colon - 3);
  }
  return request;
}

}  // namespace

std::size_t Request::first_byte() const {
  const auto range = headers.find("range");
  return range == headers.end() ? 0 : std::stoul(range->second.substr(std::string("bytes=").size()));
}

void Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;  // the other side has had enough
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void Connection::stall() {
  constexpr int milliseconds = 10;
  char byte = 0;
  while (!ending_) {
    pollfd waiting{descriptor_, POLLIN, 0};
    if (::poll(&waiting, 1, milliseconds) > 0 && ::recv(descriptor_, &byte, 1, MSG_DONTWAIT) <= 0) return;
  }
}

LoopbackServer::LoopbackServer(Answer answer)
    : answer_(std::move(answer)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  require(listening_ >= 0, "socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listening_, any, size) == 0, "bind");
  require(::listen(listening_, SOMAXCONN) == 0, "listen");
  require(::getsockname(listening_, any, &size) == 0, "getsockname");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

LoopbackServer::~LoopbackServer() {
  ending_ = true;
  ::shutdown(listening_, SHUT_RDWR);  // wakes accept
  thread_.join();
  ::close(listening_);
}

std::string LoopbackServer::url(const std::string& path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + path;
}

std::vector<Request> LoopbackServer::requests() const {
  const std::scoped_lock lock(mutex_);
  return requests_;
}

void LoopbackServer::serve() {
  while (!ending_) {
    const int descriptor = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) continue;
    const Request request = read_request(descriptor);
    std::size_t number = 0;
    {
      const std::scoped_lock lock(mutex_);
      number = requests_.size();
      requests_.push_back(request);
    }
    Connection connection(descriptor, ending_);
    answer_(request, number, connection);
    ::shutdown(descriptor, SHUT_WR);
    connection.stall();  // what is still on its way must arrive before the socket is gone
    ::close(descriptor);
  }
}

std::string head(const std::string& status, const std::string& headers) {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" + headers + "\r\n";
}

std::string reply(const std::string& status, const std::string& body, const std::string& headers) {
  return head(status, "Content-Length: " + std::to_string(body.size()) + "\r\n" + headers) + body;
}

void ServedFile::answer(const Request& request, Connection& connection) const {
  std::size_t first = knows_ranges ? request.first_byte() : 0;
  const auto condition = request.headers.find("if-range");
  if (condition != request.headers.end() && condition->second != etag) first = 0;
  const std::string whole = std::to_string(contents.size());
  if (first > 0 && first >= contents.size()) {
    connection.send(reply("416 Range Not Satisfiable", "", "Content-Range: bytes */" + whole + "\r\n"));
    return;
  }
  std::string headers = "Content-Length: " + std::to_string(contents.size() - first) + "\r\n";
  if (!etag.empty()) headers += "ETag: " + etag + "\r\n";
  if (first > 0) {
    headers += "Content-Range: bytes " + std::to_string(first) + "-" + std::to_string(contents.size() - 1) + "/" +
               whole + "\r\n";
  }
  connection.send(head(first > 0 ? "206 Partial Content" : "200 OK", headers));
  connection.send(std::string_view(contents).substr(first, cut_at - std::min(first, cut_at)));
}

}  // namespace relic::testing
