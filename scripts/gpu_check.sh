#!/usr/bin/env bash
# Builds, tests and measures on a machine with a GPU, with or without a network, and writes a Markdown report:
#   scripts/gpu_check.sh [OPTION...] [STAGE...]
# Stages: build, tests, sanitizer (needs compute-sanitizer), benchmarks, profile, original (all of these by default), and
# train, 100 epochs of CIFAR-10 with the README's command and its scores. What a stage says goes to
# build/gpu_check/STAGE.log; one that fails, but for build, does not keep the others from running. Exit status: 0, 1 where
# a stage failed, 3 where there is no GPU.
#
#   --python PYTHON  one with a CUDA torch, whose LibTorch is used (python3); with relic-pytorch, torchvision, numpy and
#                    Pillow for `original`, which is left out where one of them is missing
#   --deps ARCHIVE   a tar archive of the C++ dependencies as Debian's packages lay them out (all of `build_packages` in
#                    scripts/setup.sh, toml++, TIFF and WebP among them, with what they need), where none are installed
#   --data DIR       the folder with cifar-10-batches-bin, for `train`
#   --report FILE    where the report goes (build/gpu_check/report.md)
#   --device DEVICE  what to measure on (cuda); cpu tries the script out where there is no GPU, without `sanitizer`
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
help_if_asked "$@"

python=python3
deps=
data=
device=cuda
logs=build/gpu_check
report=$logs/report.md
build=build/gpu
stages=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --python | --deps | --data | --report | --device)
      [[ $# -ge 2 ]] || stop "$1 needs a value"
      printf -v "${1#--}" '%s' "$2"
      shift 2 ;;
    build | tests | sanitizer | benchmarks | profile | original | train) stages+=("$1"); shift ;;
    *) stop "$1 is no stage and no option (--help)" ;;
  esac
done
[[ $device == cpu || $device =~ ^cuda(:[0-9]+)?$ ]] || stop "--device $device: must be cpu, cuda or cuda:N"
if [[ ${#stages[@]} == 0 ]]; then
  stages=(build tests sanitizer benchmarks profile original)
  [[ $device != cpu ]] || stages=(build tests benchmarks profile original)
fi

# Paths are the caller's; the checkout is where the shell is.
absolute() { [[ -z $1 || $1 == /* ]] && printf '%s' "$1" || printf '%s/%s' "$caller" "$1"; }
deps=$(absolute "$deps")
data=$(absolute "$data")
[[ $report == "$logs/report.md" ]] || report=$(absolute "$report")
if [[ $device != cpu ]] && ! { command -v nvidia-smi && nvidia-smi -L | grep GPU; } >/dev/null 2>&1; then
  printf 'No GPU here: nvidia-smi is missing or lists none. (--device cpu tries the script out.)\n' >&2
  exit 3
fi
[[ $python != */* ]] || python=$(absolute "$python")
command -v "$python" >/dev/null || stop "--python $python: there is no such program"
python=$(command -v "$python")
[[ -z $data || -d $data ]] || stop "--data $data: there is no such folder"
mkdir -p "$logs" "$(dirname "$report")"
precision=fp16
batch=256
if [[ $device == cpu ]]; then
  precision=fp32
  batch=16
fi

# --- the stages ---

left_out=77  # a stage's status that is no failure

program=$build/bin/relic_train
unpack_deps() {
  local folder=build/gpu_deps
  if [[ ! -e $folder/.whole ]]; then
    rm -rf "$folder" && mkdir -p "$folder" && tar xf "$deps" -C "$folder" && touch "$folder/.whole" || return
  fi
  export CMAKE_PREFIX_PATH=$PWD/$folder:$PWD/$folder/usr${CMAKE_PREFIX_PATH:+:$CMAKE_PREFIX_PATH}
  local libraries
  libraries=$(find "$PWD/$folder/lib" "$PWD/$folder"/usr/lib/*-linux-gnu -maxdepth 0 2>/dev/null | paste -sd: || true)
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}
stage_build() {
  local torch
  torch=$("$python" -c 'import torch; print(torch.utils.cmake_prefix_path)') || return
  build_tree "$build" all -DCMAKE_BUILD_TYPE=Release -DRELIC_BUILD_TESTS=ON -DRELIC_BUILD_BENCHMARKS=ON \
    "-DTorch_DIR=$torch/Torch" "-DRELIC_TEST_PYTHON=$python" "-DRELIC_CUDA=$([[ $device == cpu ]] && say AUTO || say ON)"
}
# No test may be skipped where there is a GPU, but for those that need Python packages or locales, which say nothing of it.
stage_tests() {
  rm -f "$build/Testing/Temporary/LastTest.log"
  ctest --test-dir "$build" --no-tests=error --parallel "$(nproc)" --output-on-failure | tee "$logs/ctest.log" &&
    { [[ $device == cpu ]] ||
      ! grep -E '\*\*\*(Skipped|Not Run)' "$logs/ctest.log" | grep -vE ' (Interop\.|Surroundings\.ALocale)'; }
}
# The kernels by themselves: what is read and written where, and in which order. LibTorch's memory comes from CUDA piece by
# piece then, so that a step beyond one is seen.
stage_sanitizer() {
  [[ $device != cpu ]] || { say "compute-sanitizer needs a GPU"; return 1; }
  command -v compute-sanitizer || { say "compute-sanitizer, of the CUDA toolkit, is not in the PATH"; return 1; }
  local tool status=0
  for tool in memcheck racecheck; do
    # A test program that skips all its tests, or finds none, checks nothing.
    env PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool "$tool" --error-exitcode 9 "$build/bin/test_gpu" \
      "--gtest_filter=FusedNormAct.IsTheDefinitionOnFewImages:RenderBatch.*:ResidentViewSource.WritesTheTypeThatIsAskedFor" | tee "$logs/$tool.log" || status=1
    grep -q '\[  PASSED  \] [1-9]' "$logs/$tool.log" || status=1
  done
  return $status
}
stage_benchmarks() {
  "$build/bin/views_benchmark" && "$build/bin/training_benchmark" "device=$device" "batch_size=$batch" precision=fp32 &&
    "$build/bin/training_benchmark" "device=$device" "batch_size=$batch" "precision=$precision"
}
stage_profile() {
  local flag flags=(--cuda_graph=auto)
  [[ $device == cpu ]] || flags+=(--cuda_graph=off --bn_per_view)
  for flag in "${flags[@]}"; do
    "$program" --dataset_name shapes --image_size 32 --device "$device" --precision "$precision" -b "$batch" --profile 20 \
      "$flag" --max_steps 30 --no_scores --overwrite -save_model_dir "$logs/profiled" || return
  done
}
stage_original() {
  local missing
  missing=$("$python" -c 'import importlib.util as u; print(*(m for m in ("relic", "torchvision", "numpy", "PIL") if not u.find_spec(m)))') || return
  [[ -z $missing ]] || { say "not in $python: $missing"; return "$left_out"; }
  "$python" benchmarks/compare_original.py "$program" --python "$python" --device "$device" --precision "$precision" \
    --batch_size "$batch" --steps "$([[ $device == cpu ]] && say 10 || say 60)"
}
stage_train() {
  [[ -n $data ]] || { say "train needs --data, the folder with cifar-10-batches-bin"; return 1; }
  "$program" --dataset_name cifar10 --dataset_path "$data" --no_download --encoder_model_name resnet18 --device "$device" \
    --fp16_precision --gamma 0.99 --alpha 1.0 --overwrite -save_model_dir "$logs/cifar10"
}

# --- the report ---

machine() {
  say "- $(git log -1 --format='commit %h, %cd' --date=short 2>/dev/null || say 'no git history here')"
  say "- $(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || say 'no GPU')"
  say "- $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ {print int($2 / 1e6)}' /proc/meminfo) GB"
  say "- $("$python" -c 'import torch; print("torch", torch.__version__, "CUDA", torch.version.cuda, "cuDNN", torch.backends.cudnn.version())')"
  say "- $(nvcc --version 2>/dev/null | sed -n 's/^.*release/nvcc/p' || true)"
  say "- $("${CXX:-c++}" --version | head -n 1), $(cmake --version | head -n 1)"
}
# What is worth keeping of a stage's log.
excerpt() {
  case $1 in
    build) grep -E '^-- |error:' "$logs/build.log" ;;
    tests) sed -n '/tests passed/,$p' "$logs/tests.log"; figures_of_tests ;;
    *) tail -n 200 "$logs/$1.log" ;;
  esac || true
}
# How near to what it should be the GPU came, as its tests print it.
figures_of_tests() {
  awk '/^[0-9]+\/[0-9]+ Test: / { name = $3 } /^Command: / { gpu = /test_gpu/ } gpu && /^  [a-z0-9]/ { print name ":" $0 }' \
    "$build/Testing/Temporary/LastTest.log" 2>/dev/null
}
# What a stage ran, as it was called.
commands() {
  sed -nE 's/^\++ //p' "$logs/$1.commands" |
    grep -E '^([^ ]*/)?(cmake|ctest|env|python[0-9.]*|[a-z]+_benchmark|relic_train) ' | grep -v '^[^ ]* -c ' || true
}
[[ -z $deps ]] || unpack_deps || stop "cannot unpack $deps"
failed=()
{
  say "# relic_train on a GPU"
  machine
} >"$report"
for name in "${stages[@]}"; do
  stage "$name"
  result=passed
  # A subshell, so that an error ends the stage alone; its status is asked for afterwards, since bash looks at no error
  # in what stands before ||.
  set +e
  (set -e; exec 9>"$logs/$name.commands"; BASH_XTRACEFD=9; set -x; "stage_$name") >"$logs/$name.log" 2>&1
  case $? in
    0) ;;
    "$left_out") result='left out' ;;
    *) result=failed; failed+=("$name") ;;
  esac
  set -e
  say "$result, see $logs/$name.log"
  {
    say
    say "## $name: $result, $((SECONDS - stage_began)) s"
    say '```'
    commands "$name"
    say '```'
    say '```'
    excerpt "$name"
    say '```'
  } >>"$report"
  # What lies there from an earlier build is not what is to be measured.
  [[ $name != build || $result == passed ]] || break
done
say_times
say "Report: $report"
[[ ${#failed[@]} == 0 ]]
