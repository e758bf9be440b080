#include "relic/data/download.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/open_file.h"
#include "data/download/disk_space.h"
#include "data/download/fetch.h"
#include "data/download/http_get.h"
#include "data/download/md5.h"
#include "data/download/part_file.h"
#include "data/download/transfer_progress.h"
#include "data/download/unpack.h"
#include "relic/core/error.h"
#include "relic/core/folder_lock.h"
#include "relic/core/text.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

/// The source as the options change it. Another file, and so one of another size, is had from another address or told
/// by another checksum.
ArchiveSource wanted(ArchiveSource source, const DownloadOptions& options) {
  if (!options.url.empty() && options.url != source.url) {
    if (!is_http_url(options.url) && !file_of_url(options.url)) {
      throw UsageError("--dataset_url " + options.url +
                       ": not an address that begins with http://, https:// or file:// (file:///path/to/archive)");
    }
    source.url = options.url;
    source.md5.clear();
    source.bytes = source.unpacked_bytes = 0;
  }
  if (!options.md5.empty()) {
    constexpr std::size_t digits = 32;
    const bool all_digits = std::ranges::all_of(options.md5, [](unsigned char c) { return std::isxdigit(c) != 0; });
    if (options.md5.size() != digits || !all_digits) {
      throw UsageError("--dataset_md5 " + options.md5 + ": an MD5 has 32 hexadecimal digits (see md5sum)");
    }
    source.md5 = lower_case(options.md5);
    source.bytes = 0;
  }
  return source;
}

bool is_there(const fs::path& folder) {
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) return true;
  if (fs::exists(fs::symlink_status(folder, ignored))) {
    throw Error(folder.string() + ": is there, but is no folder; move it away or choose another --dataset_path");
  }
  return false;
}

/// A folder that is empty at first and gone at the end.
class ScratchFolder {
 public:
  explicit ScratchFolder(fs::path path) : path_(std::move(path)) {
    std::error_code error;
    fs::remove_all(path_, error);  // a killed process's
    if (!error) fs::create_directory(path_, error);
    if (error) throw Error("cannot write " + path_.string() + ": " + error.message() + "; check the permissions");
  }
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// So that no power cut leaves a folder that looks whole.
void sync_file_system(const fs::path& folder) {
  const Descriptor disk(open_or_fail("sync", folder, O_RDONLY | O_DIRECTORY));
  if (::syncfs(disk.get()) != 0) {
    throw Error("cannot write " + folder.string() + ": " + std::generic_category().message(errno));
  }
}

class Provision {
 public:
  Provision(fs::path dataset_path, ArchiveSource source, const DownloadOptions& options)
      : path_(std::move(dataset_path)),
        source_(std::move(source)),
        options_(options),
        target_(path_ / source_.folder) {}

  void run();

 private:
  void say(const std::string& line) const {
    if (options_.log) options_.log(line);
  }
  void check_stop() const {
    if (options_.stop && options_.stop()) throw Interrupted();
  }
  void wait_for(const std::string& holder);
  void from_file(const fs::path& archive);
  void from_network();
  void fetch_and_check(PartFile& part);
  /// What is wrong with an archive, empty where nothing is.
  std::string fault_of(const fs::path& archive) const;
  void unpack(const fs::path& archive);
  TransferProgress progress(const std::string& name) const { return {name, options_.progress, options_.log}; }
  fs::path beside_target(const char* ending) const { return path_ / (source_.folder + ending); }

  fs::path path_;
  ArchiveSource source_;
  const DownloadOptions& options_;
  fs::path target_;
  bool told_of_holder_ = false;
};

void Provision::run() {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error)
    throw Error("cannot make the folder " + path_.string() + ": " + error.message() + "; check --dataset_path");
  const FolderLock lock(path_, (source_.folder + ".relic-lock").c_str(),
                        [this](const std::string& holder) { wait_for(holder); });
  if (is_there(target_)) return;  // the process that was waited for has done it
  if (source_.md5.empty() && source_.bytes == 0) {
    say(source_.url + ": not the official address and no --dataset_md5, so the archive is taken unchecked");
  }
  if (const auto file = file_of_url(source_.url)) {
    from_file(*file);
  } else {
    from_network();
  }
  say(source_.title + " is in " + target_.string());
}

void Provision::wait_for(const std::string& holder) {
  constexpr std::chrono::milliseconds pause(50);
  check_stop();
  if (!std::exchange(told_of_holder_, true)) {
    say("waiting for " + holder + ", which is fetching " + source_.title + " into " + path_.string());
  }
  std::this_thread::sleep_for(pause);
}

void Provision::from_file(const fs::path& archive) {
  std::error_code ignored;
  if (!fs::is_regular_file(archive, ignored)) {
    throw Error("--dataset_url " + source_.url + ": there is no file " + archive.string());
  }
  if (const std::string fault = fault_of(archive); !fault.empty()) {
    throw Error(archive.string() + ": " + fault + "; name another file with --dataset_url, or its checksum with " +
                "--dataset_md5");
  }
  unpack(archive);
}

void Provision::from_network() {
  PartFile part(beside_target(".relic-part"));
  fetch_and_check(part);
  try {
    unpack(part.path());
  } catch (const BadArchive& error) {
    part.remove();  // else the next call would go on with it
    throw Error(std::string(error.what()) + " (fetched from " + source_.url + ", now removed)");
  }
  part.remove();
}

void Provision::fetch_and_check(PartFile& part) {
  say("downloading " + source_.title + " from " + source_.url + " into " + path_.string() +
      (source_.bytes > 0 ? ", " + bytes_text(static_cast<double>(source_.bytes)) : ""));
  for (bool again = false;; again = true) {
    Fetched how{};
    {
      TransferProgress shown = progress("downloading " + source_.title);
      const FetchEvents events{.tick =
                                   [&](std::uint64_t done, std::uint64_t total) {
                                     check_stop();
                                     shown.at(done, total);
                                   },
                               .log = [this](const std::string& line) { say(line); }};
      how = fetch({.url = source_.url,
                   .bytes = source_.bytes,
                   .checked = !source_.md5.empty(),
                   .unpacked_bytes = source_.unpacked_bytes},
                  options_.patience, part, events);
    }
    const std::string fault = fault_of(part.path());
    if (fault.empty()) return;
    part.remove();
    if (again || how == Fetched::in_one_piece) {
      throw Error(source_.url + ": " + fault +
                  "; what was fetched is removed: try again, or name another address with " +
                  "--dataset_url or checksum with --dataset_md5");
    }
    say(fault + ", perhaps because it came in pieces; beginning anew");
  }
}

std::string Provision::fault_of(const fs::path& archive) const {
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(archive, error);
  if (error) return "cannot be read: " + error.message();
  if (source_.bytes > 0 && bytes != source_.bytes) {
    return "the archive has " + std::to_string(bytes) + " bytes, where " + std::to_string(source_.bytes) +
           " are expected";
  }
  if (source_.md5.empty()) return {};
  TransferProgress shown = progress("checking " + source_.title);
  const std::string md5 = md5_of_file(archive, [&](std::uint64_t done) {
    check_stop();
    shown.at(done, bytes);
  });
  return md5 == lower_case(source_.md5) ? ""
                                        : "the archive's MD5 is " + md5 + ", where " + source_.md5 + " is expected";
}

void Provision::unpack(const fs::path& archive) {
  const ScratchFolder scratch(beside_target(".relic-unpacking"));
  require_space(path_, source_.unpacked_bytes, "what is unpacked from " + archive.string());
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(archive, error);
  TransferProgress shown = progress("unpacking " + source_.title);
  unpack_folder(archive, source_.folder, scratch.path(), [&](std::uint64_t done) {
    check_stop();
    shown.at(std::min(done, bytes), error ? 0 : bytes);
  });
  sync_file_system(path_);
  fs::rename(scratch.path() / source_.folder, target_, error);
  if (error) throw Error("cannot rename the unpacked folder to " + target_.string() + ": " + error.message());
}

}  // namespace

void provide_archive(const fs::path& dataset_path, const ArchiveSource& source, const DownloadOptions& options) {
  const fs::path folder = dataset_path / source.folder;
  if (is_there(folder)) return;
  ArchiveSource archive = wanted(source, options);
  if (!options.allowed) {
    throw Error("no " + source.title + " in " + folder.string() +
                ", and --no_download forbids fetching it: leave that flag out, or download " + archive.url +
                " and unpack it into " + dataset_path.string());
  }
  Provision(dataset_path, std::move(archive), options).run();
}

}  // namespace relic
