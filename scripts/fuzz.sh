#!/usr/bin/env bash
# Fuzzes the readers of files and arguments (tests/fuzz): builds the fuzzers with clang, then runs each from its corpus,
# with address and undefined-behaviour sanitizers. What it finds makes it fail.
#   scripts/fuzz.sh                            all, 30 s each
#   scripts/fuzz.sh --seconds 600 pth pickle   those, ten minutes each
# Inputs that reach further than those in tests/fuzz/corpus are kept in build/fuzz/corpus, where the next run goes on.
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
help_if_asked "$@"

folder=build/fuzz
first_inputs=tests/fuzz/corpus
mapfile -t all < <(ls "$first_inputs")
seconds=30
names=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --seconds)
      seconds=${2:-}
      [[ $seconds =~ ^[1-9][0-9]*$ ]] || stop "--seconds '$seconds': must be an integer of at least 1"
      shift ;;
    -*) stop "unknown option $1; --help lists all" ;;
    *) [[ -d $first_inputs/$1 ]] || stop "no fuzzer $1; there are:$(printf ' %s' "${all[@]}")"; names+=("$1") ;;
  esac
  shift
done
[[ ${#names[@]} != 0 ]] || names=("${all[@]}")

# Bytes of the largest input: a few times the first ones.
declare -A largest_input=([argv]=256 [checkpoint]=4096 [cifar10]=1024 [pickle]=2048 [pth]=8192 [stl10]=1024)

# No input of such a size may take much time or memory.
limits=(-timeout=10 -malloc_limit_mb=64 -rss_limit_mb=2048)

# last WORDS LOG: the last number in a log after these words.
last() { grep -oE "$1 *[0-9]+" "$2" | tail -n 1 | grep -oE '[0-9]+$' || echo 0; }

fuzz() {
  local name=$1 log=$folder/$1.log
  mkdir -p "$folder/corpus/$name" "$folder/findings"
  if ! OMP_NUM_THREADS=1 TMPDIR=$scratch "$folder/bin/${name}_fuzz" -max_total_time="$seconds" "${limits[@]}" \
    -max_len="${largest_input[$name]:-4096}" -print_final_stats=1 -artifact_prefix="$folder/findings/$name-" \
    "$folder/corpus/$name" "$first_inputs/$name" >"$log" 2>&1; then
    tail -n 60 "$log"
    say "$name: a finding, $(grep -oE "$folder/findings/\S+" "$log" | tail -n 1); to repeat it:" \
      "$folder/bin/${name}_fuzz ${limits[*]} and that path"
    return 1
  fi
  say "$name: $(last 'number_of_executed_units:' "$log") executions in $(last ' runs in' "$log") s," \
    "coverage $(last 'cov:' "$log"), $(last 'new_units_added:' "$log") new inputs"
}

stage "Packages"
install_packages "${build_packages[@]}" "${test_packages[@]}" clang libclang-rt-dev
stage "LibTorch"
provide_libtorch
stage "Build"
build_tree "$folder" fuzzers --preset fuzz
stage "Fuzzers, $seconds s each"
# The inputs become files, which belong into memory.
scratch=$(mktemp -d -p "$([[ -w /dev/shm ]] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
trap 'rm -rf "$scratch"' EXIT
status=0
for name in "${names[@]}"; do
  fuzz "$name" || status=1
done
say_times
exit $status
