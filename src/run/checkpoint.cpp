#include "relic/run/checkpoint.h"

#include <fcntl.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "core/open_file.h"
#include "formats/archive_error.h"
#include "relic/core/error.h"
#include "relic/formats/pth.h"

namespace relic {

namespace {

constexpr std::int64_t kFormatVersion = 2;  // 2: without log_bytes, with the best encoder
// Older checkpoints had one for each step.
constexpr std::int64_t kUncounted = -1;
constexpr const char* kFormat = "relic_train checkpoint";

using Dict = c10::impl::GenericDict;

Dict new_dict() { return Dict(c10::StringType::get(), c10::AnyType::get()); }

c10::IValue field(const Dict& dict, const std::string& key, const std::string& where) {
  const auto found = dict.find(key);
  if (found == dict.end()) {
    throw Error(where + ": not a checkpoint of relic_train (no '" + key + "' in it)");
  }
  return found->value();
}

/// Of a field that older checkpoints lack: they hold none of what it counts.
c10::IValue later_field(const Dict& dict, const std::string& key, const c10::IValue& nothing) {
  const auto found = dict.find(key);
  return found == dict.end() ? nothing : found->value();
}

StateDict tensors_field(const Dict& dict, const std::string& key, const std::string& where) {
  return to_state_dict(field(dict, key, where), where);
}

}  // namespace

std::string first_not_finite(const Checkpoint& checkpoint) {
  const auto named = [](const std::string& what, const StateDict& tensors) -> std::string {
    const auto found = std::ranges::find_if(tensors, [](const auto& item) {
      const torch::Tensor& tensor = item.second;
      // A sum is finite only if all of it is, or overflows in float64, which float32 cannot do.
      return tensor.is_floating_point() && !std::isfinite(tensor.sum(torch::kDouble).template item<double>());
    });
    return found == tensors.end() ? "" : what + " " + found->first;
  };
  for (const auto& text : {named("the weight", checkpoint.model), named("a first moment of", checkpoint.first_moments),
                           named("a second moment of", checkpoint.second_moments)}) {
    if (!text.empty()) {
      return text;
    }
  }
  return {};
}

StateDict encoder_of(const Checkpoint& checkpoint) {
  const std::string prefix = "target_encoder.0.";
  StateDict encoder;
  for (const auto& [name, tensor] : checkpoint.model) {
    if (name.rfind(prefix, 0) == 0) {
      encoder.emplace_back(name.substr(prefix.size()), tensor);
    }
  }
  return encoder;
}

std::string write_derived_files(const Checkpoint& checkpoint, const RunDirectory& run, Derived which) {
  std::string failures;
  const auto write = [&failures](const std::filesystem::path& file, const StateDict& tensors) {
    try {
      write_state_dict(file, tensors);
    } catch (const std::exception& error) {
      failures += (failures.empty() ? "" : "; ") + std::string(error.what());
    }
  };
  write(run.model(), checkpoint.model);
  write(run.encoder(), encoder_of(checkpoint));
  if (which == Derived::all_but_best_encoder) {
    return failures;
  }
  if (!checkpoint.best_encoder.empty()) {
    write(run.best_encoder(), checkpoint.best_encoder);
  } else if (checkpoint.progress.best_step == 0) {
    std::error_code ignored;
    std::filesystem::remove(run.best_encoder(), ignored);
  }
  return failures;
}

void write_checkpoint(const Checkpoint& checkpoint, const RunDirectory& run) {
  auto dict = new_dict();
  dict.insert("format", kFormat);
  dict.insert("format_version", kFormatVersion);
  dict.insert("settings", checkpoint.settings);
  dict.insert("dataset_path", checkpoint.dataset_path);
  dict.insert("dataset_size", checkpoint.dataset_size);
  dict.insert("dataset_fingerprint", static_cast<std::int64_t>(checkpoint.dataset_fingerprint));
  dict.insert("log_file", checkpoint.log_file);
  dict.insert("step", checkpoint.progress.step);
  dict.insert("epoch_loss_sum", checkpoint.progress.epoch_loss_sum);
  dict.insert("total_loss_sum", checkpoint.progress.total_loss_sum);
  dict.insert("epoch_losses", checkpoint.progress.epoch_losses);
  dict.insert("total_losses", checkpoint.progress.total_losses);
  dict.insert("evaluated_step", checkpoint.progress.evaluated_step);
  dict.insert("tested_step", checkpoint.progress.tested_step);
  dict.insert("best_step", checkpoint.progress.best_step);
  dict.insert("best_score", checkpoint.progress.best_score);
  dict.insert("skipped_steps", checkpoint.progress.skipped_steps);
  dict.insert("skipped_in_a_row", checkpoint.progress.skipped_in_a_row);
  dict.insert("metrics_bytes", checkpoint.progress.metrics_bytes);
  dict.insert("model", to_value(checkpoint.model));
  dict.insert("first_moments", to_value(checkpoint.first_moments));
  dict.insert("second_moments", to_value(checkpoint.second_moments));
  dict.insert("optimizer_steps", to_value(checkpoint.optimizer_steps));
  dict.insert("scaler", to_value(checkpoint.scaler));
  dict.insert("best_encoder", to_value(checkpoint.best_encoder));
  dict.insert("machine", checkpoint.origin.machine);
  dict.insert("build", checkpoint.origin.build);
  dict.insert("compute_threads", checkpoint.origin.compute_threads);
  write_pth(run.checkpoint(), dict);
}

bool is_checkpoint(const c10::IValue& contents) {
  if (!contents.isGenericDict()) {
    return false;
  }
  const auto dict = contents.toGenericDict();
  const auto format = dict.find("format");
  return format != dict.end() && format->value().isString() && format->value().toStringRef() == kFormat;
}

namespace {

c10::IValue read_contents(const std::filesystem::path& path) {
  if (std::error_code ignored; std::filesystem::exists(path, ignored)) {
    const Descriptor readable(open_or_fail("read", path, O_RDONLY));
  }
  try {
    return read_pth(path);
  } catch (const ReadFailure&) {
    throw;
  } catch (const Error& error) {
    throw DamagedCheckpoint(error.what());
  }
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::string where = path.string();
  const auto value = read_contents(path);
  if (!is_checkpoint(value)) {
    throw DamagedCheckpoint(where + ": not a checkpoint of relic_train");
  }
  const auto dict = value.toGenericDict();
  const auto version = dict.find("format_version");
  if (version == dict.end() || !version->value().isInt()) {
    throw DamagedCheckpoint(where + ": a checkpoint of relic_train without the version of its format");
  }
  if (version->value().toInt() > kFormatVersion) {
    throw Error(where + ": written by a newer relic_train (checkpoint format " +
                std::to_string(version->value().toInt()) + ", this one reads up to " + std::to_string(kFormatVersion) +
                "); use that version");
  }
  try {
    Checkpoint checkpoint;
    checkpoint.settings = field(dict, "settings", where).toStringRef();
    checkpoint.dataset_path = field(dict, "dataset_path", where).toStringRef();
    checkpoint.dataset_size = field(dict, "dataset_size", where).toInt();
    checkpoint.dataset_fingerprint =
        static_cast<std::uint64_t>(later_field(dict, "dataset_fingerprint", std::int64_t{0}).toInt());
    checkpoint.log_file = field(dict, "log_file", where).toStringRef();
    checkpoint.progress.step = field(dict, "step", where).toInt();
    checkpoint.progress.epoch_loss_sum = field(dict, "epoch_loss_sum", where).toDouble();
    checkpoint.progress.total_loss_sum = field(dict, "total_loss_sum", where).toDouble();
    checkpoint.progress.epoch_losses = later_field(dict, "epoch_losses", kUncounted).toInt();
    checkpoint.progress.total_losses = later_field(dict, "total_losses", kUncounted).toInt();
    checkpoint.progress.evaluated_step = later_field(dict, "evaluated_step", std::int64_t{0}).toInt();
    checkpoint.progress.tested_step = later_field(dict, "tested_step", std::int64_t{0}).toInt();
    checkpoint.progress.best_step = later_field(dict, "best_step", std::int64_t{0}).toInt();
    checkpoint.progress.best_score = later_field(dict, "best_score", 0.0).toDouble();
    checkpoint.progress.skipped_steps = later_field(dict, "skipped_steps", std::int64_t{0}).toInt();
    checkpoint.progress.skipped_in_a_row = later_field(dict, "skipped_in_a_row", std::int64_t{0}).toInt();
    checkpoint.progress.metrics_bytes = field(dict, "metrics_bytes", where).toInt();
    checkpoint.model = tensors_field(dict, "model", where);
    checkpoint.first_moments = tensors_field(dict, "first_moments", where);
    checkpoint.second_moments = tensors_field(dict, "second_moments", where);
    checkpoint.optimizer_steps = tensors_field(dict, "optimizer_steps", where);
    checkpoint.scaler = tensors_field(dict, "scaler", where);
    if (dict.contains("best_encoder")) {
      checkpoint.best_encoder = tensors_field(dict, "best_encoder", where);
    }
    checkpoint.origin.machine = later_field(dict, "machine", "").toStringRef();
    checkpoint.origin.build = later_field(dict, "build", "").toStringRef();
    checkpoint.origin.compute_threads = later_field(dict, "compute_threads", std::int64_t{0}).toInt();
    return checkpoint;
  } catch (const Error& error) {
    throw DamagedCheckpoint(error.what());
  } catch (const c10::Error&) {
    throw DamagedCheckpoint(where + ": a field of the checkpoint has the wrong type; the file is damaged");
  }
}

}  // namespace relic
