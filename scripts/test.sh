#!/usr/bin/env bash
# From a fresh clone to passed tests: installs what is needed, builds everything, runs all tests with ctest.
# Arguments that begin with -D go to CMake, all others to ctest:
#   scripts/test.sh -DRELIC_WARNINGS_AS_ERRORS=ON -R Resume
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
help_if_asked "$@"

torchvision_version=0.28.0 # the one made for torch 2.13

cmake_arguments=()
ctest_arguments=()
for argument in "$@"; do
  case $argument in
    -DCMAKE_PREFIX_PATH=*) export CMAKE_PREFIX_PATH=${argument#*=} ;;
    -DTorch_DIR=*) export Torch_DIR=${argument#*=} ;;
    -D*) cmake_arguments+=("$argument") ;;
    *) ctest_arguments+=("$argument") ;;
  esac
done

# The tests that compare with Python have one of their own, with a torch of its own: nothing is added to the user's.
make_test_python() {
  make_venv && { torch_of "$venv_python" >/dev/null || install_torch; } || return
  "$venv_python" -c '
import importlib.util, sys
sys.exit(not all(map(importlib.util.find_spec, ["numpy", "PIL", "sklearn", "torchvision", "relic"])))' && return
  say "Installing numpy, Pillow, scikit-learn, torchvision and the original into .venv"
  # The last two without what they depend on: the original asks for packages that no test needs, torchvision for a torch
  # again. Its compiled operators, which may not be for a CPU, are not used.
  pip_install numpy Pillow scikit-learn &&
    pip_install --no-deps relic-pytorch==0.4.1 "torchvision==$torchvision_version"
}
provide_test_python() {
  if (make_test_python); then
    cmake_arguments+=("-DRELIC_TEST_PYTHON=$PWD/$venv_python")
  else
    say "No Python with torch, torchvision and the original could be made in .venv (above): the tests that need it are skipped."
  fi
}

stage "Packages"
install_packages "${build_packages[@]}" "${test_packages[@]}"
stage "LibTorch"
provide_libtorch
stage "Python for the tests"
provide_test_python
stage "Build"
build_tree "$build" all -DCMAKE_BUILD_TYPE=Release -DRELIC_BUILD_TESTS=ON "${cmake_arguments[@]}"
stage "Tests"
status=0
ctest --test-dir "$build" --parallel 2 --output-on-failure "${ctest_arguments[@]}" || status=$?
say_times
exit "$status"
