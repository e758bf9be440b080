#include <c10/util/Exception.h>

#include <cstdint>
#include <new>
#include <string>
#include <string_view>

#include "core/printable.h"
#include "formats/archive_error.h"
#include "formats/pickle_reader.h"
#include "formats/torch_objects.h"
#include "formats/zip_archive.h"
#include "relic/core/error.h"
#include "relic/formats/pth.h"

namespace relic {
namespace {

// A state dict needs about 200 bytes a tensor.
constexpr std::uint64_t kLargestPickle = std::uint64_t{64} << 20U;

void check_kind(const std::filesystem::path& path, ZipArchive& archive) {
  const std::string root = archive.root();
  if (archive.contains(root + "constants.pkl")) {
    throw Error(path.string() +
                ": a TorchScript archive (or one of C++'s torch::save), not a state dict; load it in Python with "
                "torch.jit.load and torch.save(model.state_dict(), path)");
  }
  if (!archive.contains(root + "data.pkl")) {
    throw Error(path.string() + ": a zip archive but not a .pth file (no data.pkl)");
  }
  if (archive.size(root + "data.pkl") > kLargestPickle) {
    throw Error(path.string() + ": its data.pkl of " + std::to_string(archive.size(root + "data.pkl")) +
                " bytes is too large for a state dict");
  }
  const std::string record = root + "byteorder";
  if (archive.contains(record) && (archive.size(record) != 6 || archive.read(record) != "little")) {
    throw Error(path.string() +
                ": written on a big-endian machine; in Python, torch.save(torch.load(path), path) on this one");
  }
}

std::string kind_of(const c10::IValue& value) {
  return value.isGenericDict() ? "a dict"
         : value.isList()      ? "a list"
         : value.isTuple()     ? "a tuple"
         : value.isString()    ? "a string"
         : value.isTensor()    ? "a tensor"
         : value.isNone()      ? "None"
                               : "a number";
}

std::string name_of(const c10::IValue& key) {
  return key.isString() ? "'" + printable(key.toStringRef()) + "'" : "the key " + kind_of(key);
}

}  // namespace

c10::IValue read_pth(const std::filesystem::path& path) {
  ZipArchive archive(path);
  check_kind(path, archive);
  const std::string pickle = archive.read(archive.root() + "data.pkl");
  try {
    TorchObjects objects(archive);
    PickleReader reader(pickle, objects);
    return to_ivalue(reader.read());
  } catch (const c10::Error& error) {
    // LibTorch's allocator on the CPU has no error of its own.
    if (std::string_view(error.what_without_backtrace()).find("alloc_cpu") != std::string_view::npos) {
      throw std::bad_alloc();
    }
    throw Error(path.string() + ": data.pkl " + printable(error.what_without_backtrace()));
  } catch (const ArchiveError&) {
    throw;
  } catch (const Error& error) {
    throw Error(path.string() + ": data.pkl " + error.what());
  }
}

StateDict to_state_dict(const c10::IValue& value, const std::string& where) {
  if (!value.isGenericDict()) {
    throw Error(where + ": holds " + kind_of(value) + ", not a state dict (names to tensors)");
  }
  StateDict tensors;
  for (const auto& entry : value.toGenericDict()) {
    if (!entry.key().isString() || !entry.value().isTensor()) {
      throw Error(where + ": not a state dict (names to tensors): " + name_of(entry.key()) + " is " +
                  kind_of(entry.value()) +
                  (entry.value().isGenericDict() ? "; if that is the state dict, save it alone" : ""));
    }
    tensors.emplace_back(entry.key().toStringRef(), entry.value().toTensor());
  }
  return tensors;
}

StateDict read_state_dict(const std::filesystem::path& path) { return to_state_dict(read_pth(path), path.string()); }

}  // namespace relic
