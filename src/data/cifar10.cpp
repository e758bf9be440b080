#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "data/memory_dataset.h"
#include "data/readers.h"
#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/data/download.h"

namespace relic {
namespace {

namespace fs = std::filesystem;

constexpr int cifar10_side = 32;
constexpr std::size_t cifar10_plane_bytes = std::size_t{cifar10_side} * cifar10_side;
constexpr std::size_t cifar10_image_bytes = 3 * cifar10_plane_bytes;
constexpr std::size_t cifar10_record_bytes = 1 + cifar10_image_bytes;  // the label, then the planes R, G, B
constexpr std::size_t cifar10_class_count = 10;

struct Records {
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint8_t> labels;
};

fs::path find_files(const DatasetRequest& request) {
  const fs::path& path = request.path;
  std::error_code ignored;
  if (fs::exists(path / "data_batch_1.bin", ignored) || fs::exists(path / "test_batch.bin", ignored)) {
    const fs::path here = named_folder(path);
    throw Error("--dataset_path " + path.string() + ": holds CIFAR-10's files themselves; " +
                (here.filename() == "cifar-10-batches-bin"
                     ? "name the folder above: --dataset_path " + here.parent_path().string()
                     : "they belong into a folder of it named cifar-10-batches-bin"));
  }
  return dataset_root(request);
}

std::uint64_t records_in(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t bytes = fs::file_size(file, error);
  if (error) {
    throw Error("cannot read " + file.string() + ": " + error.message() + "; unpack the CIFAR-10 archive again");
  }
  if (bytes == 0) {
    throw Error(file.string() + ": empty (0 bytes), where CIFAR-10 records are expected; unpack the archive again");
  }
  if (bytes % cifar10_record_bytes != 0) {
    throw Error(file.string() + ": ends inside a record at byte " + std::to_string(bytes) +
                " (the last one starts at " + std::to_string(bytes - bytes % cifar10_record_bytes) + ", a record has " +
                std::to_string(cifar10_record_bytes) + "); download or unpack the archive again");
  }
  return bytes / cifar10_record_bytes;
}

/// Files of the training split, as many as there are, are equally long: a shorter one was cut off where a record ends.
void require_equal_lengths(const fs::path& folder, const std::vector<std::string>& files) {
  std::map<std::string, std::uint64_t> records;
  for (const std::string& file : files) {
    if (std::error_code ignored; fs::exists(folder / file, ignored)) records[file] = records_in(folder / file);
  }
  if (records.empty()) return;
  const auto shorter = [](const auto& a, const auto& b) { return a.second < b.second; };
  const auto [shortest, longest] = std::minmax_element(records.begin(), records.end(), shorter);
  if (shortest->second < longest->second) {
    throw Error((folder / shortest->first).string() + ": ends at byte " +
                std::to_string(shortest->second * cifar10_record_bytes) + ", after " +
                std::to_string(shortest->second) + " records, where " + longest->first + " holds " +
                std::to_string(longest->second) + "; unpack the archive again");
  }
}

void append_records(const fs::path& file, std::uint64_t count, Records& records) {
  const std::string bytes = read_file(file, count * cifar10_record_bytes);
  if (bytes.size() < count * cifar10_record_bytes) {
    throw Error(file.string() + ": ends at byte " + std::to_string(bytes.size()) + " while it is being read");
  }
  for (std::size_t record = 0; record < count; ++record) {
    const std::size_t offset = record * cifar10_record_bytes;
    const auto label = static_cast<std::uint8_t>(bytes[offset]);
    if (label >= cifar10_class_count) {
      throw Error(file.string() + ": label " + std::to_string(label) + " at byte " + std::to_string(offset) +
                  ", where 0 to 9 is expected; this is no CIFAR-10 file in the binary layout, or a damaged one");
    }
    records.labels.push_back(label);
    const std::size_t first = records.pixels.size();
    records.pixels.resize(first + cifar10_image_bytes);
    for (std::size_t i = 0; i < cifar10_plane_bytes; ++i) {
      for (std::size_t plane = 0; plane < 3; ++plane) {
        records.pixels[first + 3 * i + plane] =
            static_cast<std::uint8_t>(bytes[offset + 1 + plane * cifar10_plane_bytes + i]);
      }
    }
  }
}

std::vector<std::string> read_class_names(const fs::path& file) {
  std::istringstream text(read_file(file));
  std::vector<std::string> names;
  for (std::string name; text >> name;) {
    names.push_back(name);
  }
  if (names.size() != cifar10_class_count) {
    throw Error(file.string() + ": " + std::to_string(names.size()) + " class names, where 10 are expected");
  }
  return names;
}

std::vector<std::string> files_of(Split split) {
  if (split == Split::test) {
    return {"test_batch.bin"};
  }
  return {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"};
}

std::int64_t count_cifar10(const DatasetRequest& request) {
  const fs::path folder = find_files(request);
  require_equal_lengths(folder, files_of(request.split));
  std::int64_t count = 0;
  for (const std::string& file : files_of(request.split)) {
    if (request.max_images != 0 && count >= request.max_images) {
      break;
    }
    count += static_cast<std::int64_t>(records_in(folder / file));
  }
  return request.max_images == 0 ? count : std::min(count, request.max_images);
}

std::unique_ptr<Dataset> open_cifar10(const DatasetRequest& request) {
  const fs::path folder = find_files(request);
  std::vector<std::string> names = read_class_names(folder / "batches.meta.txt");
  Records records;
  auto wanted = static_cast<std::uint64_t>(request.max_images);
  for (const std::string& file : files_of(request.split)) {
    const std::uint64_t available = records_in(folder / file);
    const std::uint64_t count = request.max_images == 0 ? available : std::min(available, wanted);
    records.pixels.reserve(records.pixels.size() + count * cifar10_image_bytes);
    append_records(folder / file, count, records);
    wanted -= std::min(wanted, count);
    if (request.max_images != 0 && wanted == 0) {
      break;
    }
  }
  return std::make_unique<MemoryDataset>(cifar10_side, std::move(records.pixels), std::move(records.labels),
                                         std::move(names));
}

}  // namespace

FoundDataset find_cifar10(const DatasetRequest& request) {
  return {.size = count_cifar10(request), .classes = static_cast<std::int64_t>(cifar10_class_count), .open = [request] {
            return open_cifar10(request);
          }};
}

}  // namespace relic
