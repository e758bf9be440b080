// Data sets fetched from their official addresses.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace relic {

/// An archive (tar or zip, compressed or not) that holds a data set in a folder of its own.
struct ArchiveSource {
  std::string title{};               ///< the data set's name, for people
  std::string url{};                 ///< http, https or file
  std::string md5{};                 ///< 32 hexadecimal digits; empty: unchecked
  std::uint64_t bytes = 0;           ///< the archive's size; 0: unknown
  std::uint64_t unpacked_bytes = 0;  ///< about what the folder takes on a disk; 0: unknown
  std::string folder{};              ///< the archive's top folder, looked for under --dataset_path
};

/// Where the data set (as --dataset_name spells it) is officially had from; null where it is not to be had freely or is
/// made here.
const ArchiveSource* official_archive(const std::string& dataset_name);

/// The folder that people mean by a path: absolute, whatever dots and slashes stand in it or at its end.
std::filesystem::path named_folder(const std::filesystem::path& path);

/// How long a transfer is tried.
struct Patience {
  int attempts = 6;                                  ///< in a row that each brought nothing new
  std::chrono::milliseconds first_pause{1000};       ///< before the second attempt; doubled for each one after it
  std::chrono::milliseconds longest_pause{60000};    ///< also where a server asks for a longer one
  std::chrono::milliseconds longest_silence{30000};  ///< without a byte, after which a connection is given up
};

struct DownloadOptions {
  std::string url{};    ///< `--dataset_url`: instead of the source's; empty: the source's
  std::string md5{};    ///< `--dataset_md5`: instead of the source's
  bool allowed = true;  ///< `--no_download` forbids it
  Patience patience{};
  std::function<bool()> stop{};                             ///< asked several times a second
  std::function<void(const std::string& line)> progress{};  ///< a line in place of the one before; empty at the end
  std::function<void(const std::string& line)> log{};       ///< a line of its own
};

/// Sees to it that `dataset_path`/source.folder is there: returns at once where it is, else fetches the archive, checks
/// size and checksum, and unpacks it; the folder appears when it is whole. An archive from another address than the
/// source's is checked against options.md5 alone, and the log says so where there is none. A process that finds another
/// one at it waits, and says for whom. What is fetched of an archive stays (as FOLDER.relic-part) for the next call to
/// go on with; an archive named by a file:// address is read where it is, and stays.
///
/// Throws Error with the address or path and what to do (forbidden, not to be had, wrong, no space, an archive without
/// that folder or with names, links or devices that do not belong there), UsageError for an address or checksum that is
/// none, Interrupted soon after options.stop returns true.
void provide_archive(const std::filesystem::path& dataset_path, const ArchiveSource& source,
                     const DownloadOptions& options);

}  // namespace relic
