// What the Python scripts beside this file call: writes .pth files and says what is in them, or reads one and says the
// same, as one JSON object: file → list of [name, type, sizes, CRC-32 of the values' bytes, sum].
#include <torch/torch.h>

#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "formats/crc32.h"
#include "relic/formats/pth.h"
#include "relic/nn/relic.h"
#include "relic/nn/state_dict.h"
#include "support/fill.h"

namespace relic {
namespace {

nlohmann::json describe(const StateDict& tensors) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor values = tensor.detach().contiguous();
    list.push_back({name, c10::toString(tensor.scalar_type()), tensor.sizes().vec(),
                    crc32(values.data_ptr(), values.nbytes()), values.to(torch::kDouble).sum().item<double>()});
  }
  return list;
}

StateDict assorted() {
  StateDict tensors;
  for (const auto type : {torch::kFloat, torch::kDouble, torch::kHalf, torch::kBFloat16, torch::kLong, torch::kInt,
                          torch::kShort, torch::kChar, torch::kByte, torch::kBool}) {
    tensors.emplace_back(std::string("type.") + c10::toString(type), torch::arange(6).view({2, 3}).to(type));
  }
  tensors.emplace_back("big", torch::tensor({std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::min()}));
  tensors.emplace_back("scalar", torch::tensor(0.25));
  tensors.emplace_back("empty", torch::empty({0, 3}));
  tensors.emplace_back("transposed", torch::arange(12.0).view({3, 4}).t());
  tensors.emplace_back("channels_last",
                       testing::uniform(3, {2, 3, 4, 4}).contiguous(torch::MemoryFormat::ChannelsLast));
  tensors.emplace_back("slice", torch::arange(1000.0).slice(0, 100, 110));
  tensors.emplace_back("learned", torch::ones({2}, torch::requires_grad()));
  return tensors;
}

/// Writes state dicts and says what is in them.
class Writer {
 public:
  explicit Writer(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void add(const std::string& name, const StateDict& tensors) {
    write_state_dict(folder_ / name, tensors);
    files_[name] = describe(tensors);
  }
  [[nodiscard]] const nlohmann::json& files() const { return files_; }

 private:
  std::filesystem::path folder_;
  nlohmann::json files_ = nlohmann::json::object();
};

/// A module's outputs in eval mode beside the images they come from.
StateDict outputs(torch::nn::Module& module, const std::function<torch::Tensor(const torch::Tensor&)>& forward) {
  const torch::NoGradGuard no_grad;
  module.eval();
  const torch::Tensor images = testing::uniform(9000, {2, 3, 64, 64});
  return {{"images", images}, {"outputs", forward(images)}};
}

void fill(Relic& model) {
  const torch::NoGradGuard no_grad;
  testing::fill(model.target());
  testing::fill(model.online());
  for (const torch::Tensor& parameter : model.online().parameters()) {
    parameter.mul_(1.01);
  }
  model.log_temperature.fill_(0.5);
  model.bias.fill_(-0.25);
}

void write_small(Writer& writer) {
  Relic model(RelicOptions{});
  fill(model);
  writer.add("relic_model.pth", state_dict(model));
  writer.add("encoder.pth", state_dict(model.target().encoder()));
  writer.add("assorted.pth", assorted());
}

/// Every encoder, and a whole model, with what they compute.
void write_models(Writer& writer) {
  for (const std::string& name : encoder_names()) {
    for (const Stem stem : {Stem::imagenet, Stem::cifar}) {
      if (stem == Stem::cifar && name == "efficientnet") {
        continue;
      }
      const auto encoder = make_encoder(name, stem);
      testing::fill(*encoder);
      const std::string file = name + (stem == Stem::cifar ? "_cifar" : "_imagenet");
      writer.add(file + ".pth", state_dict(*encoder));
      writer.add(file + "_outputs.pth",
                 outputs(*encoder, [&](const auto& images) { return encoder->forward(images); }));
    }
  }
  Relic model(RelicOptions{});
  fill(model);
  writer.add("relic_model.pth", state_dict(model));
  writer.add("relic_model_outputs.pth",
             outputs(model, [&](const auto& images) { return model.target().forward(images); }));
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0].starts_with("write_")) {
    Writer writer(arguments[1]);
    arguments[0] == "write_models" ? write_models(writer) : write_small(writer);
    std::cout << writer.files() << "\n";
    return 0;
  }
  if (arguments.size() > 1 && arguments[0] == "read") {
    nlohmann::json files;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
      files[std::filesystem::path(arguments[i]).filename().string()] = describe(read_state_dict(arguments[i]));
    }
    std::cout << files << "\n";
    return 0;
  }
  std::cerr << "pth_tool write_small FOLDER | pth_tool write_models FOLDER | pth_tool read FILE...\n";
  return 2;
}

}  // namespace
}  // namespace relic

int main(int argc, char** argv) {
  try {
    return relic::run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
