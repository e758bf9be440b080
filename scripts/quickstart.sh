#!/usr/bin/env bash
# From a fresh clone to a trained encoder: installs what is needed, builds, and trains on the embedded data set `shapes`.
# Ends with the scores of the untrained and the trained encoder. Arguments are passed on to relic_train:
#   scripts/quickstart.sh --max_steps 20
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
help_if_asked "$@"

# Chosen by measuring: of what fits into minutes, classes come apart soonest without local views and with little weight on
# the invariance term, and one epoch is enough. The loss itself stays near chance in so few steps.
training=(--dataset_name shapes --max_images 5000 --num_epochs 1 --batch_size 32 -lr 1e-3 --gamma 0.97 --alpha 0.2
  --num_local_views 0)
run=runs/quickstart

# bfloat16 is faster on a GPU, and on processors with units of their own for it.
if has_gpu || grep -q amx_bf16 /proc/cpuinfo; then
  training+=(--precision bf16)
fi
# Its own run is replaced each time; one that is named is the user's.
overwrite=--overwrite
for argument in "$@"; do
  case $argument in
    -s* | --save | --save_m*) run= ;;
    --resume) overwrite= ;;
  esac
done
if [[ -n $run ]]; then
  training+=(-save_model_dir "$run" ${overwrite:+"$overwrite"})
fi

stage "Packages"
install_packages "${build_packages[@]}"
stage "LibTorch"
provide_libtorch
stage "Build"
build_tree "$build" relic_train -DCMAKE_BUILD_TYPE=Release
stage "Training"
say "$build/bin/relic_train ${training[*]} $*"
"$build/bin/relic_train" "${training[@]}" "$@"
say_times
