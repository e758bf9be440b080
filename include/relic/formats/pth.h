// PyTorch's .pth files: tensors under names, written so that `torch.load(weights_only=True)` reads them.
#pragma once

#include <ATen/core/ivalue.h>

#include <filesystem>

#include "relic/formats/state_dict.h"

namespace relic {

/// Writes a value (dicts with string keys, lists, tensors, numbers, strings) as a .pth file, whole or not at all.
/// Tensors are written from the CPU, contiguous.
void write_pth(const std::filesystem::path& path, const c10::IValue& value);

/// Reads such a file, or one that Python's `torch.save` wrote: dicts (ordered ones too), lists, tuples, numbers,
/// strings and tensors. Throws Error with the path: not a .pth file, damaged, the old format before PyTorch 1.6, or a
/// pickle that asks for anything else, which is named and never run.
c10::IValue read_pth(const std::filesystem::path& path);

void write_state_dict(const std::filesystem::path& path, const StateDict& tensors);
/// Throws Error where the file holds anything but a flat dict of names to tensors.
StateDict read_state_dict(const std::filesystem::path& path);

/// A state dict as a value for write_pth, and back.
c10::IValue to_value(const StateDict& tensors);
StateDict to_state_dict(const c10::IValue& value, const std::string& where);

}  // namespace relic
