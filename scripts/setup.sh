# shellcheck shell=bash disable=SC2034
# What quickstart.sh and test.sh share: packages, LibTorch, the build. To be sourced; leaves the shell in the checkout.
set -euo pipefail
script=$(realpath "$0")
caller=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."

torch_version=2.13.0
torch_floor=2.11
torch_cpu_index=https://download.pytorch.org/whl/cpu # PyTorch's own, for where the configured index has no CPU build
build=build/release

# --- what is said ---

say() { printf '%s\n' "$*"; }
stop() {
  printf 'Stopped: %s\n' "$*" >&2
  exit 1
}

stage_name=
stage_began=0
stage_times=()
# stage NAME: ends the stage before it, noting its time, and begins another.
stage() {
  end_stage
  stage_name=$1
  stage_began=$SECONDS
  say "== $stage_name"
}
end_stage() {
  if [[ -n $stage_name ]]; then
    stage_times+=("$(printf '%5d s  %s' $((SECONDS - stage_began)) "$stage_name")")
    stage_name=
  fi
}
say_times() {
  end_stage
  say "== Time taken"
  printf '%s\n' "${stage_times[@]}" "$(printf '%5d s  in all' "$SECONDS")"
}

# The comment that the calling script begins with is its help.
help_if_asked() {
  local argument
  for argument in "$@"; do
    case $argument in
      -h | --help)
        sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$script"
        exit ;;
    esac
  done
}

# --- packages ---

has_package() { [[ $(dpkg-query -W -f='${Status}' "$1" 2>/dev/null) == "install ok installed" ]]; }

# missing_packages NEEDED...: those not installed. A program that comes from elsewhere than a package counts as there.
missing_packages() {
  local name
  for name in "$@"; do
    case $name in
      cmake | ccache | mold | git | g++ | clang | clang-format | clang-tidy) command -v "$name" >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null && continue ;;
    esac
    has_package "$name" || printf '%s\n' "$name"
  done
}

# install_packages NEEDED...: by apt, as root or through sudo; nothing where nothing is missing.
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    say "This is no Debian or Ubuntu system, so nothing is installed here. Needed: a C++20 compiler, CMake 3.25, Ninja," \
      "OpenCV 4.5, libjpeg-turbo, libpng, libtiff 4.5, libwebp, libcurl 7.85, libarchive, OpenSSL, spdlog, CLI11 2.1," \
      "toml++ 3, nlohmann JSON, Python 3 with venv, and for the tests GoogleTest; ccache and mold make it faster."
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} == 0 ]]; then
    say "All packages are there."
    return
  fi
  say "Installing ${missing[*]}"
  local as_root=()
  if [[ $(id -u) != 0 ]]; then
    # With a terminal sudo can ask for the password.
    if ! command -v sudo >/dev/null || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
      stop "these packages are missing, and they can be installed neither as root nor through sudo. As root: apt-get install ${missing[*]}"
    fi
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

build_packages=(g++ cmake ninja-build ccache mold git ca-certificates python3 python3-venv libopencv-dev libjpeg-dev
  libpng-dev libtiff-dev libwebp-dev libcurl4-openssl-dev libarchive-dev libssl-dev libspdlog-dev libcli11-dev
  libtomlplusplus-dev nlohmann-json3-dev)
test_packages=(libgtest-dev libgmock-dev locales)

# --- LibTorch ---

venv_python=.venv/bin/python

has_gpu() { [[ -e /proc/driver/nvidia/version || -e /dev/nvidia0 || -e /usr/lib/wsl/lib/libcuda.so.1 ]]; }

# torch_of PYTHON: "VERSION CUDA FOLDER" of its torch where that is new enough (CUDA is None in a CPU build).
torch_of() {
  "$1" - "$torch_floor" 2>/dev/null <<'PYTHON'
import importlib.util
import pathlib
import re
import sys

folder = pathlib.Path(importlib.util.find_spec("torch").origin).parent
facts = {}
exec((folder / "version.py").read_text(), facts)
number = lambda text: [int(part) for part in re.findall(r"\d+", text)[:2]]
if number(facts["__version__"]) < number(sys.argv[1]):
    sys.exit(1)
print(facts["__version__"], facts["cuda"], folder)
PYTHON
}

# A LibTorch that the environment names is left to CMake.
names_libtorch() {
  local folder folders
  [[ -n ${Torch_DIR:-} ]] && return
  IFS=: read -ra folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    [[ -e $folder/Torch/TorchConfig.cmake || -e $folder/share/cmake/Torch/TorchConfig.cmake ||
      -e $folder/TorchConfig.cmake ]] && return
  done
  return 1
}

pip_install() { "$venv_python" -m pip install -q --disable-pip-version-check "$@"; }

# With a GPU the default build, which is for CUDA (`===` passes by a +cpu build of the same version). Without one never:
# it is several gigabytes of libraries that could not run.
install_torch() {
  if has_gpu; then
    say "Installing torch $torch_version for CUDA into .venv"
    pip_install "torch===$torch_version" || pip_install "torch==$torch_version"
    return
  fi
  say "Installing torch $torch_version for CPUs into .venv"
  pip_install "torch==$torch_version+cpu" 2>/dev/null ||
    pip_install "torch==$torch_version+cpu" --index-url "$torch_cpu_index" ||
    stop "no CPU build of torch $torch_version can be had from pip's configured index or $torch_cpu_index." \
      "Install torch $torch_floor or newer for the python3 in use, or name a LibTorch with CMAKE_PREFIX_PATH."
}

# One whose making was cut off is made again.
make_venv() {
  "$venv_python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear .venv
}

# What CMake will find: the LibTorch named, else that of the python3 in use, else that of .venv, made here if need be.
provide_libtorch() {
  if names_libtorch; then
    say "LibTorch: the one that the environment names"
  elif torch_of python3; then
    say "LibTorch: that of the python3 in use"
    provide_nvcc python3
  else
    make_venv
    torch_of "$venv_python" >/dev/null || install_torch
    torch_of "$venv_python" || stop "the torch in .venv does not work; remove .venv and run this again."
    provide_nvcc "$venv_python"
  fi
}

# has_nvcc MAJOR: one of that CUDA version, where CMake looks for it.
has_nvcc() {
  local nvcc
  for nvcc in "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" "$(command -v nvcc)" /usr/local/cuda/bin/nvcc; do
    [[ -x $nvcc && $("$nvcc" --version) == *"release $1."* ]] && return
  done
  return 1
}

# A driver without a toolkit: the registry's wheels hold an nvcc, in the version that the torch of PYTHON was built for.
provide_nvcc() {
  local version cuda folder toolkit
  read -r version cuda folder < <(torch_of "$1")
  if [[ $cuda == None ]] || ! has_gpu || has_nvcc "${cuda%%.*}"; then
    return
  fi
  make_venv
  toolkit=$("$venv_python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/nvidia/cu${cuda%%.*}
  if [[ ! -x $toolkit/bin/nvcc ]]; then
    say "Installing nvcc $cuda into .venv"
    if ! pip_install "cuda-toolkit[nvcc,cudart,crt,nvvm,cccl]==$cuda.*" || [[ ! -x $toolkit/bin/nvcc ]]; then
      say "No nvcc $cuda to be had; CUDA sources are left out."
      return
    fi
  fi
  # The wheels hold neither of the names by which nvcc and CMake look for the runtime.
  ln -sfn lib "$toolkit/lib64"
  local runtime=("$toolkit"/lib/libcudart.so.*)
  ln -sfn "$(basename "${runtime[0]}")" "$toolkit/lib/libcudart.so"
}

# --- build ---

# One job a core, and 2 GB for each.
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 2000000)}' /proc/meminfo)
  echo $((memory < 1 ? 1 : memory < cores ? memory : cores))
}

# build_tree FOLDER TARGET [CMAKE_ARGUMENT...]
build_tree() {
  local folder=$1 target=$2
  shift 2
  mkdir -p "$folder"
  # A first build takes several sources at once, in less than half the time; a folder that is there keeps its ways.
  local unity=()
  [[ -e $folder/CMakeCache.txt ]] || unity=(-DCMAKE_UNITY_BUILD=ON)
  local log=$folder/configure.log
  cmake -S . -B "$folder" -G Ninja "${unity[@]}" "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    stop "CMake failed (above)."
  }
  grep -E '^-- (LibTorch|CUDA sources)' "$log"
  cmake --build "$folder" --target "$target" --parallel "$(build_jobs)" || stop "the build failed (above)."
}
