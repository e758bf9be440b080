#include "fetch_dataset.h"

#include <filesystem>
#include <string>

#include "relic/data/download.h"
#include "stop_signal.h"

namespace relic {

LogLevel console_level(const TrainConfig& config) {
  return config.quiet ? LogLevel::warning : config.verbose ? LogLevel::debug : LogLevel::info;
}

bool is_to_be_fetched(const TrainConfig& config) {
  const ArchiveSource* const source = official_archive(config.dataset_name);
  if (source == nullptr || config.no_download || config.dry_run) {
    return false;
  }
  // People name the unpacked folder itself, in which it is not to be fetched once more.
  const auto named = named_folder(config.dataset_path);
  std::error_code ignored;
  return named.filename() != source->folder && !std::filesystem::exists(named / source->folder, ignored);
}

void fetch_dataset(const TrainConfig& config) {
  Log log(console_level(config));
  provide_archive(config.dataset_path, *official_archive(config.dataset_name),
                  {.url = config.dataset_url,
                   .md5 = config.dataset_md5,
                   .stop = stop_requested,
                   .progress = [&log](const std::string& line) { log.progress(line); },
                   .log = [&log](const std::string& line) { log.info(line); }});
}

}  // namespace relic
