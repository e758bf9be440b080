#include "relic/train/settings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <initializer_list>
#include <system_error>
#include <utility>

#include "relic/core/error.h"
#include "relic/core/nearest_name.h"
#include "relic/data/dataset.h"
#include "relic/nn/encoder.h"
#include "relic/train/setting_builders.h"

namespace relic {
namespace {

using setting::choice;
using setting::flag;
using setting::in_group;
using setting::integer;
using setting::kManyTimes;
using setting::path;
using setting::rate;
using setting::share;

constexpr std::int64_t kManyThreads = 4096;
constexpr std::int64_t kManyViews = 100;
constexpr std::int64_t kLargeLayer = 1'000'000;

Setting dataset_setting() {
  return choice(&TrainConfig::dataset_name, false,
                {.name = "dataset_name",
                 .placeholder = "NAME",
                 .help = "the images to train on; folder: your own, those in --dataset_path; shapes: drawn here",
                 .choices = dataset_names()});
}

/// 0, or a range.
Setting image_size_setting() {
  constexpr std::int64_t smallest = 8;
  constexpr std::int64_t largest = 4096;
  Setting row =
      integer(&TrainConfig::image_size, 0, largest,
              {.name = "image_size",
               .help = "side of a global view in pixels (0: the data set's: 32 for cifar10 and shapes, 64 for "
                       "tiny_imagenet, 96 for stl10, else 192)",
               .default_help = "the data set's",
               .allowed = "an integer from 8 to 4096, or 0 for the data set's"});
  row.problem = [row](const TrainConfig& config) {
    const bool small = config.image_size > 0 && config.image_size < smallest;
    return small ? setting::refusal(row, std::to_string(config.image_size)) : row.problem(config);
  };
  return row;
}

Setting checkpoint_setting() {
  Setting row = path(&TrainConfig::ckpt_path, true,
                     {.name = "ckpt_path",
                      .placeholder = "FILE",
                      .help = "relic_model.pth whose weights a new run starts from (to go on with a run: --resume)",
                      .default_help = "none",
                      .allowed = "an existing file"});
  row.problem = [row](const TrainConfig& config) {
    std::error_code unreadable;
    const bool fine = config.ckpt_path.empty() || std::filesystem::is_regular_file(config.ckpt_path, unreadable);
    return fine ? std::string{} : setting::refusal(row, config.ckpt_path.string());
  };
  return row;
}

bool is_device(std::string_view text) {
  if (text == "auto" || text == "cpu" || text == "cuda") return true;
  if (!text.starts_with("cuda:")) return false;
  text.remove_prefix(5);
  unsigned number = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  constexpr unsigned many = 100;  // LibTorch keeps the number in 8 bits, and takes cuda:256 for cuda:0
  return error == std::errc{} && stopped == text.data() + text.size() && number < many;
}

Setting device_setting() {
  Setting row =
      setting::text(&TrainConfig::device,
                    {.name = "device",
                     .placeholder = "DEVICE",
                     .help = "what to compute on: auto (the first GPU that can be used, else the CPU), cpu, cuda "
                             "(the current GPU) or cuda:N (GPU number N)",
                     .allowed = "auto, cpu, cuda or cuda:N, N from 0 to 99"});
  row.problem = [row](const TrainConfig& config) {
    return is_device(config.device) ? std::string{} : setting::refusal(row, config.device);
  };
  return row;
}

Setting workers_setting() {
  Setting row = integer(&TrainConfig::num_workers, -1, kManyThreads,
                        {.name = "num_workers",
                         .help = "threads that make views (-1: fits the machine)",
                         .default_help = "fits the machine",
                         .allowed = "an integer from 1 to 4096, or -1 for what fits the machine"});
  row.problem = [row](const TrainConfig& config) {
    return config.num_workers == 0 ? setting::refusal(row, "0") : row.problem(config);
  };
  return row;
}

std::vector<Setting> data_settings() {
  return in_group<TrainConfig>(
      "Data and files", true,
      {path(&TrainConfig::dataset_path, false,
            {.name = "dataset_path",
             .placeholder = "DIR",
             .help = "the folder that holds the data sets",
             .allowed = "a folder"}),
       dataset_setting(),
       path(
           &TrainConfig::save_model_dir, false,
           {.name = "save_model_dir",
            .aliases = {"-save_model_dir"},
            .placeholder = "DIR",
            .help = "the run's folder: relic_model.pth, encoder.pth, settings, checkpoint, metrics and log; made where "
                    "there is none",
            .allowed = "a folder"}),
       checkpoint_setting(),
       integer(&TrainConfig::log_every_n_steps, 1, kManyTimes,
               {.name = "log_every_n_steps",
                .help = "steps between two saves, each with a report of how many views are matched"})});
}

std::vector<Setting> model_settings() {
  const auto encoders = encoder_names();
  return in_group<TrainConfig>("Model", true,
                               {choice(&TrainConfig::encoder_model_name, false,
                                       {.name = "encoder_model_name",
                                        .aliases = {"-m"},
                                        .placeholder = "NAME",
                                        .help = "the encoder; efficientnet is EfficientNet-v2-S",
                                        .choices = {encoders.begin(), encoders.end()}}),
                                integer(&TrainConfig::proj_out_dim, 1, kLargeLayer,
                                        {.name = "proj_out_dim", .help = "width of the projector's output"}),
                                integer(&TrainConfig::proj_hidden_dim, 1, kLargeLayer,
                                        {.name = "proj_hidden_dim", .help = "width of the projector's hidden layer"})});
}

std::vector<Setting> training_settings() {
  return in_group<TrainConfig>(
      "Training", true,
      {integer(&TrainConfig::num_epochs, 1, kManyTimes, {.name = "num_epochs", .help = "passes over the images"}),
       integer(&TrainConfig::batch_size, 2, kManyTimes,
               {.name = "batch_size",
                .aliases = {"-b"},
                .help = "images in a step; the rest of an epoch that fills no batch is dropped"}),
       rate(&TrainConfig::learning_rate,
            {.name = "learning_rate", .aliases = {"-lr"}, .help = "Adam's learning rate, the same at every step"}),
       rate(&TrainConfig::weight_decay,
            {.name = "weight_decay", .aliases = {"-wd"}, .help = "Adam's weight decay (L2), on all parameters"}),
       flag(
           &TrainConfig::fp16_precision,
           {.name = "fp16_precision", .help = "mixed precision: fp16 on a GPU, bf16 on a CPU", .rival = "precision"})});
}

std::vector<Setting> method_settings() {
  return in_group<TrainConfig>(
      "Method", true,
      {share(&TrainConfig::gamma, {.name = "gamma",
                                   .help = "decay of the target's moving average at the start; it rises to 1 along a "
                                           "half cosine"}),
       rate(&TrainConfig::alpha, {.name = "alpha", .help = "weight of the invariance (KL) term of the loss"}),
       flag(&TrainConfig::use_siglip,
            {.name = "use_siglip", .help = "SigLIP's sigmoid loss instead of ReLIC's softmax"}),
       integer(&TrainConfig::update_gamma_after_step, 0, kManyTimes,
               {.name = "update_gamma_after_step",
                .help = "last step (from 0) at which the target copies the online "
                        "network"}),
       integer(&TrainConfig::update_gamma_every_n_steps, 1, kManyTimes,
               {.name = "update_gamma_every_n_steps", .help = "steps between two updates of the target"}),
       integer(&TrainConfig::num_global_views, 1, kManyViews,
               {.name = "num_global_views", .help = "large crops of each image, seen by target and online network"}),
       integer(&TrainConfig::num_local_views, 0, kManyViews,
               {.name = "num_local_views", .help = "small crops of each image, seen by the online network alone"})});
}

std::vector<Setting> image_settings() {
  return in_group<TrainConfig>(
      "Images", false,
      {integer(&TrainConfig::max_images, 0, kManyTimes,
               {.name = "max_images",
                .help = "train on N images alone, the first ones, of class folders evenly spread ones (0: all); of "
                        "shapes, draw N",
                .default_help = "all; 10000 of shapes"}),
       image_size_setting(),
       flag(&TrainConfig::no_download,
            {.name = "no_download", .help = "do not fetch a data set that is not there", .recorded = false}),
       setting::text(&TrainConfig::dataset_url,
                     {.name = "dataset_url",
                      .placeholder = "URL",
                      .help = "where to fetch the data set's archive instead (http, https or file)",
                      .default_help = "its official address",
                      .recorded = false}),
       setting::text(&TrainConfig::dataset_md5, {.name = "dataset_md5",
                                                 .placeholder = "MD5",
                                                 .help = "checksum of that archive, which is taken unchecked otherwise",
                                                 .default_help = "none",
                                                 .recorded = false}),
       integer(
           &TrainConfig::max_bad_images, 0, kManyTimes,
           {.name = "max_bad_images",
            .help = "images that may turn out not to be readable; they are left out and listed in bad_images.txt"})});
}

std::vector<Setting> run_settings() {
  return in_group<TrainConfig>(
      "Runs", false,
      {flag(&TrainConfig::resume,
            {.name = "resume",
             .help = "go on with the run in --save_model_dir, with its settings where none are given (but for what "
                     "is of one call: --max_steps, --no_scores, --profile); starts a new one where there is none",
             .recorded = false}),
       flag(
           &TrainConfig::force,
           {.name = "force",
            .help =
                "with --resume: go on although data, image size, batch, views, loss or seed are not those that the run "
                "was started with (encoder, stem and projector must be)",
            .recorded = false}),
       flag(&TrainConfig::overwrite,
            {.name = "overwrite", .help = "start anew in a folder that already holds a run", .recorded = false}),
       integer(&TrainConfig::max_steps, 0, kManyTimes,
               {.name = "max_steps",
                .help = "stop after N steps in all, without changing any schedule (0: no early stop)",
                .default_help = "no early stop",
                .recorded = false}),
       rate(&TrainConfig::save_every_seconds,
            {.name = "save_every_seconds", .help = "a step saves if the last save is older, in seconds"}),
       integer(&TrainConfig::keep_checkpoints, 1, kManyTimes,
               {.name = "keep_checkpoints",
                .help = "the newest checkpoints that are kept, checkpoint.pth among them: should it be damaged, "
                        "--resume takes the one before it"}),
       integer(&TrainConfig::eval_every_n_steps, -1, kManyTimes,
               {.name = "eval_every_n_steps",
                .help = "steps between two scores of the encoder on held-out training images (0: at the end alone)",
                .default_help = "5 times --log_every_n_steps",
                .allowed = "an integer of at least 0, or -1 for 5 times --log_every_n_steps"}),
       flag(&TrainConfig::no_scores, {.name = "no_scores",
                                      .help = "leave out all scores; --resume makes up those at the end",
                                      .recorded = false}),
       setting::seed(
           &TrainConfig::seed,
           {.name = "seed",
            .help = "number that weights, views, the order of images and, of shapes, the images follow from"}),
       integer(&TrainConfig::profile, 0, kManyTimes,
               {.name = "profile",
                .help = "say of N steps, after 3 that warm up (5 with a CUDA graph), where their time goes, "
                        "and train on (0: of none)",
                .default_help = "of none",
                .recorded = false}),
       flag(
           &TrainConfig::detect_anomaly,
           {.name = "detect_anomaly",
            .help = "look at what every layer gives at every step, and stop at the first that is not finite, naming it "
                    "(slow)",
            .recorded = false}),
       flag(&TrainConfig::dry_run,
            {.name = "dry_run",
             .help = "print the settings, the model's size, steps per epoch and memory needed, and stop",
             .recorded = false})});
}

std::vector<Setting> variant_settings() {
  return in_group<TrainConfig>(
      "Variants of the method", false,
      {choice(&TrainConfig::stem, false,
              {.name = "stem",
               .placeholder = "STEM",
               .help = "a ResNet's first layer: 7x7 with pooling (imagenet) or 3x3 without (cifar); auto is "
                       "cifar for images of 32 pixels or less",
               .choices = {"auto", "cifar", "imagenet"}}),
       flag(&TrainConfig::bn_per_view, {.name = "bn_per_view", .help = "BatchNorm statistics of each view on its own"}),
       choice(&TrainConfig::compat, true,
              {.name = "compat",
               .placeholder = "VERSION",
               .help = "repeat relic-pytorch of that version in numbers, its mistakes included",
               .default_help = "off",
               .choices = {"0.4.1"}})});
}

std::vector<Setting> machine_settings() {
  return in_group<TrainConfig>(
      "Machine", false,
      {device_setting(),
       choice(&TrainConfig::precision, true,
              {.name = "precision",
               .placeholder = "TYPE",
               .help = "number type of the encoders' matrix products",
               .default_help = "fp32, or what --fp16_precision means",
               .choices = {"fp32", "bf16", "fp16"},
               .rival = "fp16_precision"}),
       choice(&TrainConfig::tf32, false,
              {.name = "tf32",
               .placeholder = "on|off",
               .help = "float32 on a GPU's matrix units, which keep 10 bits of each factor",
               .choices = {"on", "off"}}),
       choice(&TrainConfig::cuda_graph, false,
              {.name = "cuda_graph",
               .placeholder = "USE",
               .help = "launch a step on a GPU as one recorded graph: auto (where it can be "
                       "recorded), on (or stop) or off",
               .choices = {"auto", "on", "off"}}),
       flag(&TrainConfig::deterministic,
            {.name = "deterministic",
             .help = "on a GPU: sums in a fixed order, so that two runs, or one that was "
                     "resumed, are equal to the bit (slower); a CPU with as many --num_threads does so anyway"}),
       integer(&TrainConfig::num_threads, 0, kManyThreads,
               {.name = "num_threads",
                .help = "threads that compute (0: all cores that may be used)",
                .default_help = "all cores that may be used"}),
       workers_setting()});
}

std::vector<Setting> log_settings() {
  return in_group<TrainConfig>(
      "Log", false,
      {path(&TrainConfig::log_file, true,
            {.name = "log_file",
             .placeholder = "FILE",
             .help = "where the log is written",
             .default_help = "train.log in the run's folder"}),
       flag(&TrainConfig::quiet,
            {.name = "quiet", .help = "show warnings and errors alone on the console", .recorded = false}),
       flag(&TrainConfig::verbose, {.name = "verbose", .help = "show more on the console", .recorded = false})});
}

std::vector<Setting> make_table() {
  std::vector<Setting> table;
  for (auto group : {data_settings, model_settings, training_settings, method_settings, image_settings, run_settings,
                     variant_settings, machine_settings, log_settings}) {
    for (Setting& row : group()) table.push_back(std::move(row));
  }
  return table;
}

/// What settings demand of one another; those that are out of range on their own, or unread, are left out.
std::vector<std::string> find_conflicts(const TrainConfig& config, const SettingNames& unread) {
  std::vector<std::string> conflicts;
  const auto read = [&unread](std::initializer_list<const char*> names) {
    return std::ranges::none_of(names, [&unread](const char* name) { return unread.contains(name); });
  };
  if (read({"num_global_views", "num_local_views"}) && config.num_global_views == 1 && config.num_local_views == 0) {
    conflicts.emplace_back(
        "--num_global_views 1 with --num_local_views 0: one view has no other to be compared with; their sum must be "
        "at "
        "least 2");
  }
  if (read({"batch_size", "max_images"}) && config.batch_size >= 2 && config.max_images > 0 &&
      config.max_images < config.batch_size) {
    conflicts.push_back("--max_images " + std::to_string(config.max_images) + ": fewer than --batch_size, " +
                        std::to_string(config.batch_size) + "; give more, or a smaller batch");
  }
  if (config.resume && config.overwrite) {
    conflicts.emplace_back("--resume with --overwrite: must be one of them, to go on with a run or to start anew");
  }
  if (config.detect_anomaly && config.cuda_graph == "on") {
    conflicts.emplace_back("--detect_anomaly with --cuda_graph on: a recorded step cannot be looked into");
  }
  if (config.force && !config.resume) {
    conflicts.emplace_back("--force without --resume: it is the run to go on with that it lets differ");
  }
  if (config.quiet && config.verbose) conflicts.emplace_back("--quiet with --verbose: must be one of them");
  if (read({"precision", "fp16_precision"}) && config.precision == "fp32" && config.fp16_precision) {
    conflicts.emplace_back("--precision fp32 with --fp16_precision: must be one of them");
  }
  return conflicts;
}

}  // namespace

std::span<const Setting> train_settings() {
  static const std::vector<Setting> table = make_table();
  return table;
}

const Setting* find_setting(std::string_view name) {
  for (const Setting& row : train_settings()) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

std::vector<std::string> find_problems(const TrainConfig& config, const SettingNames& unread) {
  std::vector<std::string> problems = find_row_problems(train_settings(), config, unread);
  for (std::string& conflict : find_conflicts(config, unread)) problems.push_back(std::move(conflict));
  return problems;
}

void require_no_problems(const std::vector<std::string>& problems) {
  if (!problems.empty()) throw UsageError(problems);
}

}  // namespace relic
