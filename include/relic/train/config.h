// The settings of a training: one plain struct, defaults beside the fields.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace relic {

struct TrainConfig {
  // The original's flags.
  std::filesystem::path dataset_path = "./data";
  std::string dataset_name = "stl10";
  std::string encoder_model_name = "resnet18";
  std::filesystem::path save_model_dir = "./models";
  std::int64_t num_epochs = 100;
  std::int64_t batch_size = 256;
  double learning_rate = 3e-4;
  double weight_decay = 1e-5;
  bool fp16_precision = false;
  std::int64_t proj_out_dim = 64;
  std::int64_t proj_hidden_dim = 512;
  std::int64_t log_every_n_steps = 400;
  double gamma = 0.995;
  double alpha = 1.0;
  bool use_siglip = false;
  std::int64_t update_gamma_after_step = 1;
  std::int64_t update_gamma_every_n_steps = 1;
  std::filesystem::path ckpt_path;  // empty: none
  std::int64_t num_global_views = 2;
  std::int64_t num_local_views = 4;

  // Ours.
  std::uint64_t seed = 42;
  std::string device = "auto";      // auto, cpu, cuda, cuda:N
  std::string precision;            // fp32, bf16, fp16; empty: fp32, or what fp16_precision means on the device
  std::string tf32 = "on";          // on, off
  std::string cuda_graph = "auto";  // auto, on, off
  std::string stem = "auto";        // auto, cifar, imagenet
  std::string compat;               // empty, or 0.4.1
  bool bn_per_view = false;         // BatchNorm statistics of each view
  std::int64_t num_threads = 0;     // 0: all available cores
  std::int64_t num_workers = -1;    // −1: fits the machine
  std::int64_t image_size = 0;      // 0: the data set's
  std::int64_t max_images = 0;      // 0: all
  std::int64_t max_bad_images = 100;
  std::int64_t max_steps = 0;      // 0: no early stop
  double save_every_seconds = 60;  // a step saves where the last save is older
  std::int64_t keep_checkpoints = 2;
  bool resume = false;
  bool force = false;  // resume in spite of differences
  bool overwrite = false;
  std::filesystem::path log_file;  // empty: train.log in the run's directory
  bool quiet = false;
  bool verbose = false;
  bool no_download = false;
  std::string dataset_url;               // empty: the official one
  std::string dataset_md5;               // empty: that of the official archive
  std::int64_t eval_every_n_steps = -1;  // −1: 5 × log_every_n_steps; 0: at the end alone
  bool no_scores = false;
  bool detect_anomaly = false;
  bool deterministic = false;
  std::int64_t profile = 0;  // steps whose time is taken apart
  bool dry_run = false;
};

}  // namespace relic
