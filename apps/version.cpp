#include "version.h"

#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/version.h>

#include "relic_git_commit.h"

namespace relic {
namespace {

/// The CUDA runtime in LibTorch; having one says nothing of a GPU in this machine.
std::string cuda_version() {
  const at::CUDAHooksInterface& hooks = at::detail::getCUDAHooks();
  if (!hooks.hasCUDART()) return "none";
  const long number = hooks.versionCUDART();  // 12080 for 12.8
  return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
}

}  // namespace

std::string version_text() {
  return std::string("relic_train ") + RELIC_VERSION + "\ncommit      " + kGitCommit + "\nLibTorch    " +
         TORCH_VERSION + "\nCUDA        " + cuda_version() + "\ncompiler    " + RELIC_COMPILER + "\n";
}

std::string build_text() {
  return std::string("relic_train ") + RELIC_VERSION + " (commit " + kGitCommit + "), LibTorch " + TORCH_VERSION +
         ", CUDA " + cuda_version() + ", " + RELIC_COMPILER;
}

}  // namespace relic
