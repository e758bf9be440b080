#include "relic/core/log.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <mutex>
#include <utility>

#include "core/console.h"
#include "relic/core/file.h"
#include "relic/core/text.h"

namespace relic {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

class ConsoleSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void progress(const std::string& line) {
    const std::scoped_lock lock(mutex_);
    if (should_log(spdlog::level::info)) {
      console_.progress(line);
    }
  }
  [[nodiscard]] bool has_terminal() const { return console_.has_terminal(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    std::string text;
    if (message.level == spdlog::level::warn) {
      text = "warning: ";
    } else if (message.level >= spdlog::level::err) {
      text = "error: ";
    }
    text.append(message.payload.data(), message.payload.size());
    text += '\n';
    console_.print(message.level >= spdlog::level::warn, text);
  }
  void flush_() override {}

 private:
  Console console_;
};

class FileSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(const std::filesystem::path& path) : file_(path) {
    set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%d %H:%M:%S.%e %l: %v"));
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.append({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  AppendFile file_;
};

}  // namespace

struct Log::Sinks {
  std::shared_ptr<ConsoleSink> console = std::make_shared<ConsoleSink>();
  std::shared_ptr<FileSink> file;
  spdlog::logger logger{"relic", console};
  std::once_flag failure_told;

  void tell_failure(const std::string& reason) {
    std::call_once(failure_told, [&] { console->log({"relic", spdlog::level::warn, one_line(reason)}); });
  }
};

Log::Log(LogLevel console_level) : sinks_(std::make_unique<Sinks>()) {
  sinks_->console->set_level(to_spdlog(console_level));
  sinks_->logger.set_level(spdlog::level::debug);
  sinks_->logger.set_error_handler([sinks = sinks_.get()](const std::string& reason) { sinks->tell_failure(reason); });
}

Log::~Log() = default;

void Log::open_file(const std::filesystem::path& path) {
  sinks_->file = std::make_shared<FileSink>(path);
  sinks_->logger.sinks().push_back(sinks_->file);
}

void Log::note(const std::string& text) {
  if (sinks_->file) {
    const std::string line = one_line(text);
    try {
      sinks_->file->log({"relic", spdlog::level::err, spdlog::string_view_t(line.data(), line.size())});
    } catch (const std::exception& error) {
      sinks_->tell_failure(error.what());
    }
  }
}

void Log::progress(const std::string& line) { sinks_->console->progress(line); }

bool Log::has_terminal() const { return sinks_->console->has_terminal(); }

void Log::write(LogLevel level, const std::string& text) {
  const std::string line = one_line(text);
  sinks_->logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace relic
