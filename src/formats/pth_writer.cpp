#include <ATen/Functions.h>
#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/pickler.h>

#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/torch_objects.h"
#include "relic/core/error.h"
#include "relic/core/file.h"
#include "relic/formats/pth.h"

namespace relic {
namespace {

/// Rebuilds a value so that LibTorch's pickler writes it with plain opcodes alone: typed lists would become calls that
/// `torch.load(weights_only=True)` refuses, and a tensor's whole storage goes into the file, so each gets one of its
/// own size unless it has that already.
class PlainValue {
 public:
  explicit PlainValue(std::string where) : where_(std::move(where)) {}

  c10::IValue convert(const c10::IValue& value) {
    if (value.isTensor()) {
      return plain(value.toTensor());
    }
    if (value.isGenericDict()) {
      c10::impl::GenericDict dict(c10::StringType::get(), c10::AnyType::get());
      for (const auto& entry : value.toGenericDict()) {
        if (!entry.key().isString()) {
          throw Error(where_ + ": a dict's key is not a string");
        }
        dict.insert(entry.key(), convert(entry.value()));
      }
      return dict;
    }
    if (value.isList()) {
      c10::impl::GenericList list(c10::AnyType::get());
      for (const c10::IValue& item : value.toListRef()) {
        list.push_back(convert(item));
      }
      return list;
    }
    if (value.isTuple()) {
      std::vector<c10::IValue> items;
      for (const c10::IValue& item : value.toTupleRef().elements()) {
        items.push_back(convert(item));
      }
      return c10::ivalue::Tuple::create(std::move(items));
    }
    if (value.isNone() || value.isBool() || value.isInt() || value.isDouble() || value.isString()) {
      return value;
    }
    throw Error(where_ + ": a .pth file cannot hold a value of type " + value.tagKind());
  }

 private:
  at::Tensor plain(const at::Tensor& tensor) {
    if (!tensor.defined() || tensor.layout() != at::kStrided || storage_name(tensor.scalar_type()).empty() ||
        tensor.is_meta()) {
      throw Error(where_ + ": a .pth file cannot hold a tensor " +
                  (tensor.defined() ? "of type " + tensor.toString() : std::string("that is undefined")));
    }
    at::Tensor local = tensor.detach().to(at::kCPU).resolve_neg().contiguous();
    if (local.storage_offset() == 0 && local.nbytes() == local.storage().nbytes()) {
      // The pickler knows a storage by its address: one that is seen as two types would come back as the first.
      const auto [seen, is_new] = types_.emplace(local.storage().unsafeGetStorageImpl(), local.scalar_type());
      if (is_new || seen->second == local.scalar_type()) {
        return local;
      }
    }
    return local.clone(at::MemoryFormat::Contiguous);
  }

  std::string where_;
  std::unordered_map<const c10::StorageImpl*, c10::ScalarType> types_;
};

void write_archive(const std::string& pickle, const std::vector<at::Tensor>& tensors, AtomicFile& file) {
  // LibTorch's writer ends the process when writing fails in its destructor, so it is told that all is well and the
  // failure is kept.
  std::exception_ptr failure;
  {
    caffe2::serialize::PyTorchStreamWriter writer([&](const void* data, std::size_t size) {
      if (!failure) {
        try {
          file.write(data, size);
        } catch (...) {
          failure = std::current_exception();
        }
      }
      return size;
    });
    const auto write_text = [&](const std::string& name, std::string_view text) {
      writer.writeRecord(name, text.data(), text.size());
    };
    write_text("data.pkl", pickle);
    write_text(".format_version", "1");
    write_text(".storage_alignment", "64");
    write_text("byteorder", "little");
    for (std::size_t i = 0; i < tensors.size() && !failure; ++i) {
      writer.writeRecord("data/" + std::to_string(i), tensors[i].storage().data(), tensors[i].storage().nbytes());
    }
    writer.writeEndOfFile();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

}  // namespace

void write_pth(const std::filesystem::path& path, const c10::IValue& value) {
  try {
    const c10::IValue plain = PlainValue(path.string()).convert(value);
    std::string pickle;
    torch::jit::Pickler pickler([&](const char* data, std::size_t size) { pickle.append(data, size); }, nullptr,
                                nullptr, nullptr, nullptr, false);
    pickler.protocol();
    pickler.pushIValue(plain);
    pickler.stop();
    AtomicFile file(path);
    write_archive(pickle, pickler.tensorData(), file);
    file.commit();
  } catch (const c10::Error& error) {
    throw Error(path.string() + ": " + error.what_without_backtrace());
  }
}

c10::IValue to_value(const StateDict& tensors) {
  c10::impl::GenericDict dict(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : tensors) {
    dict.insert(name, tensor);
  }
  return dict;
}

void write_state_dict(const std::filesystem::path& path, const StateDict& tensors) {
  write_pth(path, to_value(tensors));
}

}  // namespace relic
