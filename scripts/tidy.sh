#!/usr/bin/env bash
# clang-tidy over our sources.
#   scripts/tidy.sh --all            every file
#   scripts/tidy.sh --quick          those that do not read LibTorch's headers, which alone take clang 20 s a file
#   scripts/tidy.sh --seconds 300    what differs from the last release (all, before the first), as many files as can be
#                                    begun in that time, starting at another place for each commit
#   scripts/tidy.sh FILE...          those
# Reads precompiled headers as little as clang does, so it has a build folder of its own (build/tidy), in which nothing is
# compiled: CMake only writes down there how each file would be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=build/tidy
seconds=0
case ${1:-} in
  --all) mapfile -t files < <(git ls-files '*.cpp') ;;
  --quick)
    mapfile -t files < <(git ls-files 'src/core/*.cpp' 'src/data/*.cpp' 'src/views/view_*.cpp' 'src/views/render.cpp' \
      'src/train/setting*.cpp' 'src/run/run_directory.cpp' 'src/train/progress.cpp' 'apps/*.cpp' 'tests/core/*.cpp' \
      'tests/dataset/*.cpp' 'tests/download/*.cpp' 'tests/apps/*.cpp' | grep -vE '^(apps/(train_|memory_|resume_|version)|tests/apps/(reliability|kills))')
    ;;
  --seconds)
    seconds=$2
    release=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || true)
    if [[ -n $release ]]; then
      mapfile -t files < <(git diff --name-only --diff-filter=d "$release" -- '*.cpp')
    else
      mapfile -t files < <(git ls-files '*.cpp')
    fi
    ;;
  "" | -*) sed -n '2,7s/^# //p' "$0" >&2; exit 2 ;;
  *) files=("$@") ;;
esac

cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRELIC_PRECOMPILE_HEADERS=OFF \
  -DRELIC_BUILD_TESTS=ON -DRELIC_BUILD_FUZZERS=ON >/dev/null
cmake --build "$folder" --target relic_git_commit >/dev/null # the only header that is made
# Options of GCC's that clang takes for errors.
sed -i -E 's/ -fno-(thread-jumps|loop-unroll-and-jam)//g' "$folder/compile_commands.json"

# Files that no target compiles (the consumer's) have no command to be read with.
known=()
for file in "${files[@]}"; do
  grep -qF "\"$PWD/$file\"" "$folder/compile_commands.json" && known+=("$file")
done
count=${#known[@]}
if [[ $count == 0 ]]; then
  echo "clang-tidy: no file to check"
  exit
fi
start=0
if [[ $seconds != 0 ]]; then
  start=$((0x$(git rev-parse --short=7 HEAD) % count))
fi

export folder seconds
began=$SECONDS
export deadline=$((EPOCHSECONDS + seconds))
checked=$(mktemp)
trap 'rm -f "$checked"' EXIT
export checked
status=0
# GCC's own warning options mean nothing to clang, nor its OpenMP.
printf '%s\0' "${known[@]:start}" "${known[@]:0:start}" | xargs -0 -n 1 -P "$(nproc)" bash -c '
  [[ $seconds != 0 && $EPOCHSECONDS -ge $deadline ]] && exit 0
  echo "$0" >>"$checked"
  clang-tidy -p "$folder" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-fno-openmp "$0" 2> >(grep -vE "warnings? (generated|treated)|^Suppressed|^Use -header" >&2)
' || status=1
echo "clang-tidy: $(wc -l <"$checked") of $count files in $((SECONDS - began)) s"
exit $status
