#include "train/failed_batch.h"

#include "relic/core/file.h"
#include "relic/core/text.h"

namespace relic {

void write_failed_batch(const std::filesystem::path& path, const std::string& what, std::int64_t step,
                        std::int64_t epoch, const std::vector<std::int64_t>& batch, const Dataset& dataset) {
  std::string text = "# step " + std::to_string(step) + " (epoch " + std::to_string(epoch) + "): " + what +
                     "\n# Its views follow from --seed, the epoch and the image. Images of the batch (in place of one "
                     "in bad_images.txt, the next):\nindex,class,name\n";
  for (const auto index : batch) {
    const auto label = dataset.label(index);
    text += std::to_string(index) + "," + (label < 0 ? "" : std::to_string(label)) + "," +
            one_line(dataset.name(index)) + "\n";
  }
  write_file(path, text);
}

}  // namespace relic
