#include "memory_text.h"

#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>

#include "disk_text.h"
#include "relic/core/heap.h"
#include "relic/core/text.h"
#include "relic/data/dataset.h"
#include "relic/train/device_memory.h"
#include "relic/train/memory.h"
#include "relic/train/options.h"
#include "relic/views/view_source.h"

namespace relic {

namespace {

/// Of all images, test split aside.
double dataset_bytes(const Plan& plan) {
  const double side = dataset_info(plan.config.dataset_name).image_size;
  return static_cast<double>(plan.images.size) * side * side * 3;
}

MemoryNeed memory_need(const Plan& plan, Relic& relic) {
  return measure_memory_need(relic, view_options(plan.config), plan.config.batch_size,
                             forward_options(plan.config, plan.runtime));
}

/// Of images that a GPU holds.
double resident_bytes(const Plan& plan) {
  const auto& info = dataset_info(plan.config.dataset_name);
  const auto size = info.one_size ? std::optional(ImageSize{info.image_size, info.image_size}) : std::nullopt;
  return why_not_resident(size, plan.images.size, plan.runtime.device).empty() ? dataset_bytes(plan) : 0;
}

}  // namespace

MemoryForecast memory_forecast(const Plan& plan, Relic& relic) {
  const auto batch = plan.config.batch_size;
  const auto available = available_memory();  // what the measuring takes, the training would use
  auto need = memory_need(plan, relic);
  need.snapshot += best_encoder_bytes(plan, relic);
  const auto& info = dataset_info(plan.config.dataset_name);
  const double in_memory = info.in_memory ? dataset_bytes(plan) : 0;
  const std::string training = " (weights and optimizer " + bytes_text(need.state) + ", activations " +
                               bytes_text(need.activations) + ", the loss's logits " + bytes_text(need.logits) +
                               ", views " + bytes_text(need.views);
  if (plan.runtime.device.is_cpu()) {
    // Scratch memory of convolutions, and what lies free between blocks: as much as was seen.
    constexpr double most_between = 1;  // of the activations
    const double needed = need.total() + in_memory;
    const double most = needed + most_between * need.activations;
    const std::string text = "memory: about " + bytes_text(needed) + training + ", the copy that is saved " +
                             bytes_text(need.snapshot) + ", images " + bytes_text(in_memory) + "), up to " +
                             bytes_text(most) + " with scratch memory, besides the program's own 120 MB" +
                             (available ? "; " + bytes_text(*available) + " are free" : "");
    need.activations *= 1 + most_between;
    const auto fit = images_that_fit(need, batch, need.snapshot + in_memory, available.value_or(0));
    return {text, available ? memory_warning("memory", {needed, most}, *available, fit) : ""};
  }
  const double resident = resident_bytes(plan);
  const auto free = static_cast<double>(free_device_bytes(plan.runtime.device));
  const double needed = need.total() - need.snapshot + resident;
  const std::string text =
      "memory of the GPU: about " + bytes_text(needed) + training + ", images " + bytes_text(resident) +
      "), besides CUDA's own half GB" + (free > 0 ? "; " + bytes_text(free) + " are free" : "") +
      "; of the machine: the copy that is saved " + bytes_text(need.snapshot) + ", images " + bytes_text(in_memory);
  const auto fit = images_that_fit(need, batch, resident, free);
  return {text, free > 0 ? memory_warning("the GPU's memory", {needed, needed}, free, fit) : ""};
}

std::string memory_warning(const std::string& memory, const BytesRange& needed, double free, std::int64_t fit) {
  if (needed.most <= free) {
    return {};
  }
  const bool surely = needed.least > free;
  return bytes_text(free) + " of " + memory + " are free, " +
         (surely ? "about " + bytes_text(needed.least) + " are" : "up to " + bytes_text(needed.most) + " may be") +
         " needed: the training " + (surely ? "will" : "may") + " not fit; " +
         (fit >= 2 ? "about " + std::to_string(fit) + " images in a batch would"
                   : "take a smaller --batch_size or fewer views");
}

std::int64_t images_that_fit(const MemoryNeed& need, std::int64_t batch_size, double other, double free) {
  constexpr double usable = 0.9;  // the rest is lost between blocks
  const auto batch = static_cast<double>(batch_size);
  const double an_image = (need.activations + need.views) / batch;
  const double a_pair = need.logits / (batch * batch);
  const double room = usable * free - need.state - other;
  if (room <= 0) {
    return 0;
  }
  // The root of a_pair·n² + an_image·n = room, in the form that also holds without logits.
  return static_cast<std::int64_t>(2 * room / (an_image + std::sqrt(an_image * an_image + 4 * a_pair * room)));
}

std::string too_little_gpu_memory(const Plan& plan) {
  const auto& config = plan.config;
  std::string text = "out of the GPU's memory with --batch_size " + std::to_string(config.batch_size) + " and views " +
                     views_text(config);
  try {
    release_device_memory(plan.runtime.device);  // the training's
    const double resident = resident_bytes(plan);
    const auto need = memory_need(plan, *initial_relic(config, torch::kCPU));
    const auto free = static_cast<double>(free_device_bytes(plan.runtime.device));
    const auto fits = images_that_fit(need, config.batch_size, resident, free);
    text += ", which need about " + bytes_text(need.total() - need.snapshot + resident) +
            (free > 0 ? " of " + bytes_text(free) + " free" : "");
    if (fits >= 2 && fits < config.batch_size) {
      return text + "; about " + std::to_string(fits) + " images would fit";
    }
  } catch (const std::exception&) {  // the machine has no room for the question either
  }
  return text + "; take a smaller --batch_size or fewer views" +
         (plan.runtime.autocast ? "" : ", or --precision fp16") +
         (plan.runtime.graph == Runtime::Graph::required ? ", or --cuda_graph auto, which does without a graph" : "");
}

}  // namespace relic
