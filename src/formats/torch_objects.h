// The few things of PyTorch's that a saved state dict names: storages, tensors, parameters.
#pragma once

#include <string>
#include <unordered_map>

#include "formats/pickle_reader.h"
#include "formats/zip_archive.h"

namespace relic {

/// "FloatStorage" for float32 and so on, as Python names the storage of a type; empty for types that are not read.
std::string storage_name(c10::ScalarType type);

/// Builds tensors out of an archive's records, each of which is read once. Sizes, strides and offsets are checked
/// against the storage; data saved from another device arrives on the CPU.
class TorchObjects : public PickleHost {
 public:
  explicit TorchObjects(ZipArchive& archive) : archive_(archive) {}

  void check_global(const std::string& name) override;
  PickleValue call(const std::string& name, PickleItems& arguments, PickleHeap& heap) override;
  PickleValue load(const PickleValue& id, PickleHeap& heap) override;

 private:
  const c10::Storage& storage(const std::string& key);

  ZipArchive& archive_;
  std::unordered_map<std::string, c10::Storage> storages_;  // by record
};

}  // namespace relic
