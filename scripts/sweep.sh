#!/usr/bin/env bash
# Trains with every combination of the values that flags are given as lists:
#   scripts/sweep.sh --dataset_name cifar10 --num_epochs 20 -lr 1e-4,3e-4 --alpha 0,1 --use_siglip=false,true
# makes eight runs in runs/sweep, one folder each, named by what differs. What is complete is skipped, what is not is
# resumed, a failure does not end the sweep; it ends with a table of the runs, best first, also written as sweep.csv.
# The order is that of logistic regression's accuracy on held-out training images; test scores select nothing.
# A comma that belongs to a value is written \, .
#
#   --sweep_dir DIR  where the runs are (runs/sweep)
#   --jobs N         runs at a time (1)
#   --gpus A,B,…     one run at a time on each of these GPUs
#                    (several runs share the cores, unless --num_threads and --num_workers are given)
#   --list           print the command of each run, and stop
# All else goes to relic_train (the one of this checkout, or the one that RELIC_TRAIN names).
set -euo pipefail

program=${RELIC_TRAIN:-$(dirname "${BASH_SOURCE[0]}")/../build/release/bin/relic_train}
sweep_dir=runs/sweep
jobs=
gpus=()
list=

refuse() {
  printf 'sweep.sh: %s\n' "$*" >&2
  exit 2
}
# A console that is closed ends no sweep.
trap '' PIPE
tell() { printf "$@" 2>/dev/null || true; }

# --- the command line ---

# own FLAG [VALUE]: sets `value`, that of a flag of the sweep.
own() {
  value=${2:-}
  [[ -n $value ]] || refuse "$1 needs a value"
}
is_value() { [[ $# -ge 1 && (${1:0:1} != - || $1 =~ ^-\.?[0-9]) ]]; }

axis_flags=()  # flags with a list: -lr
axis_values=() # their lists: 1e-4,3e-4
common=()      # all else
take() { # take FLAG VALUE
  local without_escapes=${2//\\,/}
  if [[ $without_escapes == *,* ]]; then
    axis_flags+=("$1")
    axis_values+=("$2")
  elif [[ $1 == --*=* ]]; then
    common+=("$1${2//\\,/,}")
  else
    common+=("$1" "${2//\\,/,}")
  fi
}
while [[ $# -gt 0 ]]; do
  case $1 in
    -h | --help) sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"; exit ;;
    --sweep_dir=* | --jobs=* | --gpus=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
    --sweep_dir) own "$@"; sweep_dir=$value; shift 2 ;;
    --jobs) own "$@"; jobs=$value; shift 2 ;;
    --gpus) own "$@"; IFS=, read -ra gpus <<<"$value"; shift 2 ;;
    --list) list=yes; shift ;;
    -s* | --save | --save_m* | --res* | --ov*)
      refuse "$1: the sweep names the folders itself (--sweep_dir) and resumes by itself; leave it out" ;;
    --dr* | --vers*) refuse "$1: trains nothing; --list prints the commands of the runs" ;;
    --*=*) take "${1%%=*}=" "${1#*=}"; shift ;;
    -*)
      if is_value "${@:2}"; then
        take "$1" "$2"
        shift 2
      else
        [[ $1 != *,* ]] || refuse "$1: write the flag and its list apart"
        common+=("$1")
        shift
      fi ;;
    *) refuse "'$1' belongs to no flag" ;;
  esac
done
[[ -z $jobs || $jobs =~ ^[1-9][0-9]*$ ]] || refuse "--jobs $jobs: must be an integer of at least 1"
[[ -x $program ]] || refuse "no program $program: build it (scripts/quickstart.sh), or name one in RELIC_TRAIN"
# is_given PREFIX: whether the user gives such a flag, the same to all runs or as a list.
is_given() {
  local word
  for word in "${common[@]}" "${axis_flags[@]}"; do
    [[ $word != "$1"* ]] || return 0
  done
  return 1
}
if [[ ${#gpus[@]} -gt 0 ]]; then
  [[ -z $jobs ]] || refuse "--gpus with --jobs: must be one of them; there is a run at a time on each GPU"
  ! is_given --dev || refuse "--gpus with --device: must be one of them"
  jobs=${#gpus[@]}
fi
jobs=${jobs:-1}

# The cores that may be used: those of the affinity mask, and no more than a container's quota.
cores=$(nproc)
if read -r quota period 2>/dev/null </sys/fs/cgroup/cpu.max && [[ $quota != max ]]; then
  allowed=$(((quota + period - 1) / period))
  cores=$((allowed < cores ? allowed : cores))
fi
share=()
if [[ $jobs -gt 1 ]]; then
  each=$((cores > jobs ? cores / jobs : 1))
  is_given --num_t || share+=(--num_threads "$each")
  is_given --num_w || share+=(--num_workers "$each")
fi

# --- the grid ---

# Commas that belong to values are \001 while a list is split.
split_list() { # split_list LIST: into the array `values`
  local list=${1//\\,/$'\001'}
  IFS=, read -ra values <<<"$list"
  [[ $list != *, ]] || values+=("")
  values=("${values[@]//$'\001'/,}")
}

csv_cell() {
  local quote='"' text=$1
  [[ $text != *[,$quote]* ]] || text=$quote${text//$quote/$quote$quote}$quote
  printf '%s' "$text"
}

names=()    # of the runs
settings=() # what is peculiar to each, as words quoted for the shell
cells=()    # the same as cells of a table
add_run() { # add_run NAME SETTINGS CELLS, for the axes from $axis on
  local axis=${axis:-0}
  if [[ $axis -eq ${#axis_flags[@]} ]]; then
    names+=("${1:-run}")
    settings+=("$2")
    cells+=("$3")
    return
  fi
  local flag=${axis_flags[axis]} values value words
  split_list "${axis_values[axis]}"
  for value in "${values[@]}"; do
    case $flag in
      *=) printf -v words '%q' "$flag$value" ;;
      *) printf -v words '%q %q' "$flag" "$value" ;;
    esac
    axis=$((axis + 1)) add_run "$1${1:+_}$(name_of "$flag")=${value//\//-}" "$2 $words" "$3,$(csv_cell "$value")"
  done
}
name_of() {
  local name=${1%=}
  while [[ $name == -* ]]; do name=${name#-}; done
  printf '%s' "$name"
}
add_run "" "" ""
if [[ -n $(printf '%s\n' "${names[@]}" | sort | uniq -d) ]]; then
  refuse "two runs would have the name $(printf '%s\n' "${names[@]}" | sort | uniq -d | head -n 1): a value is listed twice"
fi

# command_of INDEX SLOT: into the array `command`.
command_of() {
  local own=()
  eval "own=(${settings[$1]})"
  command=("$program" "${common[@]}" "${own[@]}" "${share[@]}" -save_model_dir "$sweep_dir/${names[$1]}")
  if [[ ${#gpus[@]} -gt 0 ]]; then
    command+=(--device "cuda:${gpus[$2]}")
  fi
}
if [[ -n $list ]]; then
  for i in "${!names[@]}"; do
    command_of "$i" 0
    printf '%q ' "${command[@]}"
    printf '\n'
  done
  exit
fi

# --- the runs ---

mkdir -p "$sweep_dir"
exec {lock}>"$sweep_dir/.sweep-lock"
flock -n "$lock" || refuse "another sweep is at work in $sweep_dir"

status=()  # of each run: complete, failed, interrupted, empty where it was not begun
slot_pid=()
slot_run=()
stopped_by=
# One signal each, whether it comes from the terminal or from kill: the runs are no part of the terminal's group.
on_signal() {
  stopped_by=$1
  tell 'sweep.sh: stopping; the runs save what they have\n' >&2
  stop_runs
}
stop_runs() {
  local pid
  for pid in "${slot_pid[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
}
trap 'on_signal INT' INT
trap 'on_signal TERM' TERM
trap 'on_signal HUP' HUP
trap 'on_signal USR' USR1 USR2
trap stop_runs EXIT

# A run is complete where it ended well with the same settings: a file in its folder then says with which.
done_file() { printf '%s/%s/sweep_done' "$sweep_dir" "${names[$1]}"; }
said() { printf '%s/%s.log' "$sweep_dir" "${names[$1]}"; }
words_of() {
  local words=() word before=
  eval "words=(${settings[$1]})"
  for word in "${common[@]}" "${words[@]}"; do
    printf '%q ' "$word"
    # What a file of settings says counts, not its name.
    case $before in --conf*) cksum <"$word" 2>/dev/null || true ;; esac
    case $word in --conf*=*) cksum <"${word#*=}" 2>/dev/null || true ;; esac
    before=$word
  done
}

start_run() { # start_run INDEX SLOT
  command_of "$1" "$2"
  # Until it ends well again, or refuses to begin.
  mv -f "$(done_file "$1")" "$(done_file "$1").before" 2>/dev/null || true
  # Appended: a run that outlived its sweep may still write there.
  setsid "${command[@]}" --resume >>"$(said "$1")" 2>&1 {lock}>&- &
  slot_pid[$2]=$!
  slot_run[$2]=$1
}
end_run() { # end_run SLOT EXIT_STATUS
  local run=${slot_run[$1]}
  unset "slot_pid[$1]" "slot_run[$1]"
  case $2 in
    0)
      status[run]=complete
      words_of "$run" 2>/dev/null >"$(done_file "$run")" || status[run]="failed (cannot write $(done_file "$run"))" ;;
    75 | 129 | 130 | 143) status[run]=interrupted ;;
    *)
      status[run]="failed (exit status $2)"
      ! tail -n 1 "$(said "$run")" | grep -q 'is in use by process' || status[run]="at work elsewhere"
      [[ $2 != 2 ]] || mv -f "$(done_file "$run").before" "$(done_file "$run")" || true ;;
  esac 2>/dev/null
  rm -f "$(done_file "$run").before"
  local why=
  if [[ ${status[run]} != complete ]]; then
    why=", see $(said "$run"): $(grep -v '^$' "$(said "$run")" 2>/dev/null | tail -n 1 || true)"
  fi
  tell '%s: %s%s\n' "${names[run]}" "${status[run]}" "$why"
}
wait_for_one() {
  local ended result slot
  while :; do
    result=0
    wait -n -p ended "${slot_pid[@]}" || result=$?
    [[ -n ${ended:-} ]] && break # else a signal ended the wait
  done
  for slot in "${!slot_pid[@]}"; do
    if [[ ${slot_pid[slot]} == "$ended" ]]; then end_run "$slot" "$result"; fi
  done
}

for i in "${!names[@]}"; do
  [[ -z $stopped_by ]] || break
  if [[ -f $(done_file "$i") && $(<"$(done_file "$i")") == "$(words_of "$i")" ]]; then
    status[i]=complete
    tell '%s: complete before\n' "${names[i]}"
    continue
  fi
  while [[ ${#slot_pid[@]} -ge $jobs ]]; do wait_for_one; done
  [[ -z $stopped_by ]] || break
  slot=0
  while [[ -n ${slot_pid[slot]:-} ]]; do slot=$((slot + 1)); done
  verb=begins
  [[ ! -s $sweep_dir/${names[i]}/checkpoint.pth ]] || verb='goes on'
  tell '%s: run %d of %d %s, see %s\n' "${names[i]}" $((i + 1)) ${#names[@]} "$verb" "$(said "$i")"
  start_run "$i" "$slot"
done
while [[ ${#slot_pid[@]} -gt 0 ]]; do wait_for_one; done

# --- the table ---

# scores_of METRICS: steps, held-out and test scores, the last that there are.
scores_of() {
  awk -F, '
    NR == 1 { for (i = 1; i <= NF; ++i) column[$i] = i; next }
    {
      steps = $column["step"]
      for (name in column) if ($column[name] != "") last[name] = $column[name]
    }
    END {
      printf "%s,%s,%s,%s,%s\n", steps, last["held_out_linear"], last["held_out_neighbours"], last["test_linear"],
        last["test_neighbours"]
    }' "$1" 2>/dev/null || printf ',,,,\n'
}
heading=run
for flag in "${axis_flags[@]}"; do heading+=,$(name_of "$flag"); done
heading+=,status,steps,held_out_linear,held_out_neighbours,test_linear,test_neighbours
failed=0
scores=()
for i in "${!names[@]}"; do
  [[ ${status[i]:=not begun} == complete ]] || failed=1
  scores[i]=$(scores_of "$sweep_dir/${names[i]}/metrics.csv")
done
mapfile -t order < <(
  for i in "${!names[@]}"; do
    held_out=$(cut -d, -f2 <<<"${scores[i]}")
    printf '%s\t%s\n' "${held_out:--1}" "$i"
  done | LC_ALL=C sort -t$'\t' -s -k1,1gr | cut -f2
)
{
  printf '%s\n' "$heading"
  for i in "${order[@]}"; do
    printf '%s%s,%s,%s\n' "$(csv_cell "${names[i]}")" "${cells[i]}" "$(csv_cell "${status[i]}")" "${scores[i]}"
  done
} >"$sweep_dir/sweep.csv.tmp"
mv "$sweep_dir/sweep.csv.tmp" "$sweep_dir/sweep.csv"

percent() { [[ -z $1 ]] && printf -- '-' || LC_ALL=C awk -v share="$1" 'BEGIN { printf "%.1f %%", 100 * share }'; }
width=3
for name in "${names[@]}"; do [[ ${#name} -le $width ]] || width=${#name}; done
tell '%-*s  %9s  %-24s  %-24s  %s\n' "$width" run steps 'held out: linear, kNN' 'test: linear, kNN' status
for i in "${order[@]}"; do
  IFS=, read -r steps held_linear held_knn test_linear test_knn <<<"${scores[i]}"
  tell '%-*s  %9s  %-24s  %-24s  %s\n' "$width" "${names[i]}" "${steps:--}" \
    "$(percent "$held_linear"), $(percent "$held_knn")" "$(percent "$test_linear"), $(percent "$test_knn")" "${status[i]}"
done
tell 'written: %s\n' "$sweep_dir/sweep.csv"

case $stopped_by in
  INT) exit 130 ;;
  TERM) exit 143 ;;
  HUP) exit 129 ;;
  USR) exit 75 ;; # to be queued again, as relic_train itself has it
esac
exit "$failed"
