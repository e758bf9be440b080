#!/usr/bin/env bash
# clang-tidy over our sources.
#   scripts/tidy.sh --all            every file
#   scripts/tidy.sh --seconds 300    as many as can be begun in that time: those of the last ten commits, the latest first,
#                                    then all others, starting at another place for each commit
#   scripts/tidy.sh FILE...          those
# Reads precompiled headers as little as clang does, so it has a build folder of its own (build/tidy), in which nothing is
# compiled: CMake only writes down there how each file would be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

folder=build/tidy
seconds=0
case ${1:-} in
  --all) mapfile -t files < <(git ls-files '*.cpp') ;;
  --seconds)
    seconds=$2
    mapfile -t all < <(git ls-files '*.cpp')
    start=$((0x$(git rev-parse --short=7 HEAD) % ${#all[@]}))
    mapfile -t files < <({
      git log -n 10 --name-only --format= -- '*.cpp'
      printf '%s\n' "${all[@]:start}" "${all[@]:0:start}"
    } | awk '!seen[$0]++' | while read -r file; do [[ ! -e $file ]] || printf '%s\n' "$file"; done)
    ;;
  "" | -*) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
  *) files=("$@") ;;
esac

cmake -S . -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=Release -DRELIC_PRECOMPILE_HEADERS=OFF \
  -DRELIC_BUILD_TESTS=ON -DRELIC_BUILD_FUZZERS=ON >/dev/null
cmake --build "$folder" --target relic_git_commit >/dev/null # the only header that is made
# Options of GCC's that clang takes for errors.
sed -i -E 's/ -fno-(thread-jumps|loop-unroll-and-jam)//g' "$folder/compile_commands.json"

# Files that no target compiles here (the consumer's; without a GPU's LibTorch or google-benchmark those that need them)
# have no command to be read with.
known=()
unknown=0
for file in "${files[@]}"; do
  if grep -qF "\"$PWD/$file\"" "$folder/compile_commands.json"; then
    known+=("$file")
  else
    unknown=$((unknown + 1))
  fi
done
count=${#known[@]}
if [[ $count == 0 ]]; then
  echo "clang-tidy: no file to check"
  exit
fi

export folder seconds
began=$SECONDS
export deadline=$((EPOCHSECONDS + seconds))
checked=$(mktemp)
trap 'rm -f "$checked"' EXIT
export checked
status=0
# GCC's own warning options mean nothing to clang, nor its OpenMP.
printf '%s\0' "${known[@]}" | xargs -0 -n 1 -P "$(nproc)" bash -c '
  [[ $seconds != 0 && $EPOCHSECONDS -ge $deadline ]] && exit 0
  echo "$0" >>"$checked"
  clang-tidy -p "$folder" --quiet --extra-arg=-Wno-unknown-warning-option --extra-arg=-fno-openmp "$0" 2> >(grep -vE "warnings? (generated|treated)|^Suppressed|^Use -header" >&2)
' || status=1
echo "clang-tidy: $(wc -l <"$checked") of $count files in $((SECONDS - began)) s; $unknown more are not compiled here"
exit $status
