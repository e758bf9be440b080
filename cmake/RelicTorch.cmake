# Finds LibTorch and makes the imported target relic::torch. Used by the build and by the installed package.
#
# Which LibTorch: the one that Torch_DIR or CMAKE_PREFIX_PATH names; else that of the python3 in use; else the first of
# RELIC_TORCH_FALLBACKS (for the build a .venv in the checkout). For the package the one the library was built with comes
# before the python3's.
#
# In:  RELIC_CUDA            AUTO, ON, OFF: whether CUDA sources are compiled
#      RELIC_TORCH_FALLBACKS folders of a torch to try last
#      RELIC_TORCH_PREFERRED folder of a torch to try before the python3's
# Out: RELIC_TORCH_ROOT, RELIC_TORCH_VERSION, RELIC_TORCH_CUDA_VERSION (empty: a CPU build), RELIC_WITH_CUDA, and the
#      property RELIC_TORCH_VERSION of relic::torch, for who meets the target and not the variables
set(RELIC_TORCH_FLOOR 2.11)

# The version of the torch in `root` and the CUDA version it was built for, without loading its CMake files.
function(relic_read_torch_version root out_version out_cuda)
  set(version "")
  set(cuda "")
  if(EXISTS "${root}/version.py") # a Python wheel
    file(STRINGS "${root}/version.py" lines REGEX "^(__version__|cuda)[ :=]")
    if("${lines}" MATCHES "__version__ *= *'([^']+)'")
      set(version "${CMAKE_MATCH_1}")
    endif()
    if("${lines}" MATCHES "cuda[^=;]*= *'([0-9.]+)'")
      set(cuda "${CMAKE_MATCH_1}")
    endif()
  elseif(EXISTS "${root}/build-version") # the zip archive
    file(STRINGS "${root}/build-version" version LIMIT_COUNT 1)
    if(version MATCHES "\\+cu([0-9]+)([0-9])$")
      set(cuda "${CMAKE_MATCH_1}.${CMAKE_MATCH_2}")
    endif()
  elseif(EXISTS "${root}/share/cmake/Torch/TorchConfigVersion.cmake")
    file(STRINGS "${root}/share/cmake/Torch/TorchConfigVersion.cmake" line REGEX "PACKAGE_VERSION \"" LIMIT_COUNT 1)
    string(REGEX REPLACE ".*\"([^\"]+)\".*" "\\1" version "${line}")
  endif()
  set(${out_version} "${version}" PARENT_SCOPE)
  set(${out_cuda} "${cuda}" PARENT_SCOPE)
endfunction()

# The root of the torch whose TorchConfig.cmake Torch_DIR or CMAKE_PREFIX_PATH leads to, or nothing.
function(relic_find_named_torch out_root)
  set(${out_root} "" PARENT_SCOPE)
  set(folders "")
  foreach(folder IN ITEMS "${Torch_DIR}" "$ENV{Torch_DIR}")
    if(folder AND NOT folder MATCHES "-NOTFOUND$")
      if(NOT EXISTS "${folder}/TorchConfig.cmake")
        message(FATAL_ERROR "Torch_DIR is ${folder}, which holds no TorchConfig.cmake. "
          "Name another with -DTorch_DIR=.../torch/share/cmake/Torch, or give -UTorch_DIR to have one looked for.")
      endif()
      list(APPEND folders "${folder}")
    endif()
  endforeach()
  file(TO_CMAKE_PATH "$ENV{CMAKE_PREFIX_PATH}" prefixes)
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH prefixes)
    # torch.utils.cmake_prefix_path is torch/share/cmake; people also name torch itself, or an unpacked archive.
    list(APPEND folders "${prefix}/Torch" "${prefix}/share/cmake/Torch" "${prefix}")
  endforeach()
  foreach(folder IN LISTS folders)
    if(EXISTS "${folder}/TorchConfig.cmake")
      get_filename_component(root "${folder}/../../.." ABSOLUTE)
      set(${out_root} "${root}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# The torch of the python3 in use (an activated environment comes first in PATH), or nothing.
function(relic_find_python_torch out_root)
  set(${out_root} "" PARENT_SCOPE)
  find_program(python3 python3 NO_CACHE)
  if(python3)
    execute_process(
      COMMAND "${python3}" -c "from importlib.util import find_spec
spec = find_spec('torch')
print(spec.origin.rpartition('/')[0] if spec and spec.origin else '')"
      WORKING_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}"
      OUTPUT_VARIABLE root OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(root AND EXISTS "${root}/share/cmake/Torch/TorchConfig.cmake")
      set(${out_root} "${root}" PARENT_SCOPE)
    endif()
  endif()
endfunction()

# Sets RELIC_TORCH_ROOT, RELIC_TORCH_VERSION, RELIC_TORCH_CUDA_VERSION, or fails with what was found and what is needed.
function(relic_choose_torch)
  relic_find_named_torch(named)
  if(named)
    set(candidates "${named}")
  else()
    relic_find_python_torch(of_python)
    set(candidates ${of_python} ${RELIC_TORCH_FALLBACKS})
    if(EXISTS "${RELIC_TORCH_PREFERRED}/share/cmake/Torch/TorchConfig.cmake")
      list(PREPEND candidates "${RELIC_TORCH_PREFERRED}")
    endif()
  endif()
  set(too_old "")
  foreach(root IN LISTS candidates)
    relic_read_torch_version("${root}" version cuda)
    if(version VERSION_GREATER_EQUAL RELIC_TORCH_FLOOR)
      set(RELIC_TORCH_ROOT "${root}" PARENT_SCOPE)
      set(RELIC_TORCH_VERSION "${version}" PARENT_SCOPE)
      set(RELIC_TORCH_CUDA_VERSION "${cuda}" PARENT_SCOPE)
      return()
    endif()
    string(APPEND too_old "\n  version ${version} in ${root}")
  endforeach()
  if(too_old)
    message(FATAL_ERROR "LibTorch ${RELIC_TORCH_FLOOR} or newer is needed. Found:${too_old}\n"
      "Name a newer one with -DCMAKE_PREFIX_PATH=.../torch, or run scripts/quickstart.sh, which installs one into .venv.")
  endif()
  message(FATAL_ERROR "No LibTorch found: not by Torch_DIR or CMAKE_PREFIX_PATH, nor in the python3 in use, nor in .venv. "
    "Name it with -DCMAKE_PREFIX_PATH=.../torch (${RELIC_TORCH_FLOOR} or newer), or run scripts/quickstart.sh.")
endfunction()

# The nvcc to compile with, or the reason why CUDA sources cannot be compiled here.
function(relic_find_nvcc out_nvcc out_reason)
  set(${out_nvcc} "" PARENT_SCOPE)
  set(${out_reason} "" PARENT_SCOPE)
  string(REGEX REPLACE "\\..*" "" wanted "${RELIC_TORCH_CUDA_VERSION}")
  if(CMAKE_CUDA_COMPILER)
    set(candidates "${CMAKE_CUDA_COMPILER}")
  elseif(DEFINED ENV{CUDACXX})
    set(candidates "$ENV{CUDACXX}")
  else()
    set(candidates "")
    # The registry's toolkit wheels unpack beside a torch.
    foreach(folder IN ITEMS "${CUDAToolkit_ROOT}" "$ENV{CUDA_HOME}" "$ENV{CUDA_PATH}")
      if(folder)
        list(APPEND candidates "${folder}/bin/nvcc")
      endif()
    endforeach()
    find_program(in_path nvcc NO_CACHE)
    foreach(root IN LISTS RELIC_TORCH_ROOT RELIC_TORCH_FALLBACKS)
      list(APPEND candidates "${root}/../nvidia/cu${wanted}/bin/nvcc")
    endforeach()
    list(APPEND candidates "${in_path}" /usr/local/cuda/bin/nvcc)
  endif()
  set(${out_reason} "no nvcc found" PARENT_SCOPE)
  foreach(nvcc IN LISTS candidates)
    if(NOT EXISTS "${nvcc}")
      continue()
    endif()
    execute_process(COMMAND "${nvcc}" --version OUTPUT_VARIABLE text ERROR_QUIET)
    if(NOT text MATCHES "release ([0-9]+)\\.([0-9]+)")
      set(${out_reason} "${nvcc} does not run" PARENT_SCOPE)
    elseif(wanted AND NOT CMAKE_MATCH_1 EQUAL wanted)
      set(${out_reason} "${nvcc} is of CUDA ${CMAKE_MATCH_1}.${CMAKE_MATCH_2}, LibTorch of ${RELIC_TORCH_CUDA_VERSION}"
        PARENT_SCOPE)
    else()
      file(REAL_PATH "${nvcc}" nvcc)
      set(${out_nvcc} "${nvcc}" PARENT_SCOPE)
      set(${out_reason} "" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# TORCH_CUDA_ARCH_LIST ("8.0;9.0+PTX") in CMake's spelling ("80-real;90").
function(relic_cuda_architectures out_list)
  if(NOT TORCH_CUDA_ARCH_LIST)
    set(TORCH_CUDA_ARCH_LIST "$ENV{TORCH_CUDA_ARCH_LIST}")
  endif()
  if(NOT TORCH_CUDA_ARCH_LIST)
    set(TORCH_CUDA_ARCH_LIST "8.0;8.6;8.9;9.0+PTX")
  endif()
  string(REGEX REPLACE "[ ,]+" ";" entries "${TORCH_CUDA_ARCH_LIST}")
  set(list "")
  foreach(entry IN LISTS entries)
    if(NOT entry MATCHES "^([0-9]+)\\.([0-9][af]?)(\\+PTX)?$")
      message(FATAL_ERROR "TORCH_CUDA_ARCH_LIST: \"${entry}\" is no architecture such as 8.0, 9.0a or 9.0+PTX.")
    elseif(CMAKE_MATCH_3)
      list(APPEND list "${CMAKE_MATCH_1}${CMAKE_MATCH_2}")
    else()
      list(APPEND list "${CMAKE_MATCH_1}${CMAKE_MATCH_2}-real")
    endif()
  endforeach()
  set(${out_list} "${list}" PARENT_SCOPE)
endfunction()

# relic::torch from torch's folders alone. A CUDA build's own CMake files ask for a whole toolkit (cuBLAS, cuFFT, NVRTC)
# even of programs that only call LibTorch, and stop with a fatal error on a machine that has less.
function(relic_import_torch)
  set(lib "${RELIC_TORCH_ROOT}/lib")
  # Nothing of ours names a symbol of libtorch_cuda.so: its being loaded is what makes the device available.
  # The system's std::filesystem comes before theirs (see below) also where a linker passes over what precedes all objects.
  set(whole "-Wl,--no-as-needed,\"${relic_standard_library}\"")
  foreach(name IN ITEMS torch torch_cpu torch_cuda c10_cuda)
    string(APPEND whole ",\"${lib}/lib${name}.so\"")
  endforeach()
  add_library(relic::torch INTERFACE IMPORTED)
  set_target_properties(relic::torch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${RELIC_TORCH_ROOT}/include;${RELIC_TORCH_ROOT}/include/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES "${whole} -Wl,--as-needed;${lib}/libtorch_cpu.so;${lib}/libc10.so")
endfunction()

# relic::torch from torch's own CMake files.
macro(relic_load_torch)
  set(relic_log_level "${CMAKE_MESSAGE_LOG_LEVEL}")
  set(CMAKE_MESSAGE_LOG_LEVEL ERROR) # they warn of a library that no build of theirs ships
  set(relic_torch_dir "$CACHE{Torch_DIR}")
  find_package(Torch REQUIRED CONFIG PATHS "${RELIC_TORCH_ROOT}/share/cmake/Torch" NO_DEFAULT_PATH)
  if(NOT relic_torch_dir)
    unset(Torch_DIR CACHE) # so that the next configuration looks again, and one that is named then wins
  endif()
  set(CMAKE_MESSAGE_LOG_LEVEL "${relic_log_level}")
  add_library(relic::torch INTERFACE IMPORTED)
  target_link_libraries(relic::torch INTERFACE ${TORCH_LIBRARIES})
endmacro()

# Sets RELIC_WITH_CUDA, or relic_no_cuda to the reason. A macro: a language can only be enabled at file scope.
macro(relic_enable_cuda)
  relic_find_nvcc(relic_nvcc relic_no_cuda)
  set(relic_wheel_hint "")
  if(relic_nvcc MATCHES "/nvidia/cu[0-9]+/bin/nvcc$")
    set(relic_wheel_hint " (the wheels lack the links lib64 -> lib and lib/libcudart.so; scripts/quickstart.sh makes them)")
  endif()
  if(relic_nvcc AND NOT CMAKE_CUDA_COMPILER)
    include(CheckLanguage)
    set(ENV{CUDACXX} "${relic_nvcc}")
    check_language(CUDA)
    if(NOT CMAKE_CUDA_COMPILER)
      unset(CMAKE_CUDA_COMPILER CACHE)
      set(relic_no_cuda "${relic_nvcc} does not compile a program with this C++ compiler${relic_wheel_hint}")
    endif()
  endif()
  if(NOT relic_no_cuda)
    set(CMAKE_CUDA_STANDARD 17) # the newest that CMake 3.25 knows for nvcc
    set(CMAKE_CUDA_STANDARD_REQUIRED ON)
    relic_cuda_architectures(CMAKE_CUDA_ARCHITECTURES)
    enable_language(CUDA)
    find_package(CUDAToolkit QUIET)
    if(TARGET CUDA::cudart)
      set(RELIC_WITH_CUDA TRUE)
    else()
      set(relic_no_cuda "no libcudart.so with ${CMAKE_CUDA_COMPILER}${relic_wheel_hint}")
    endif()
  endif()
endmacro()

relic_choose_torch()
message(STATUS "LibTorch ${RELIC_TORCH_VERSION}: ${RELIC_TORCH_ROOT}")

# Every published build from our floor on has the C++11 ABI; one built by hand may not.
if(EXISTS "${RELIC_TORCH_ROOT}/lib/libc10.so")
  file(STRINGS "${RELIC_TORCH_ROOT}/lib/libc10.so" relic_new_abi REGEX "7__cxx1112basic_string" LIMIT_COUNT 1)
  if(NOT relic_new_abi)
    message(FATAL_ERROR "The LibTorch in ${RELIC_TORCH_ROOT} has the C++ ABI from before GCC 5, which nothing else on this "
      "system links with. Take a build with the C++11 ABI, as all published ones since 2.7 are.")
  endif()
endif()

# LibTorch's libraries export an older copy of std::filesystem, which does not fit what GCC compiles here (remove_all ends
# in a crash): the system's comes first. By its path, since behind -lstdc++ there may be a static library or a linker
# script, of which the linker takes nothing before it has seen an object that needs it.
execute_process(COMMAND "${CMAKE_CXX_COMPILER}" -print-file-name=libstdc++.so.6
  OUTPUT_VARIABLE relic_standard_library OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT IS_ABSOLUTE "${relic_standard_library}")
  set(relic_standard_library "-l:libstdc++.so.6")
endif()

set(RELIC_WITH_CUDA FALSE)
set(relic_no_cuda "this LibTorch is a CPU build")
if(EXISTS "${RELIC_TORCH_ROOT}/lib/libtorch_cuda.so")
  relic_import_torch()
  if(RELIC_CUDA MATCHES "^(AUTO|ON)$")
    relic_enable_cuda()
  else()
    set(relic_no_cuda "RELIC_CUDA is OFF")
  endif()
else()
  relic_load_torch()
endif()

target_link_options(relic::torch INTERFACE "LINKER:--push-state,--no-as-needed,${relic_standard_library},--pop-state")

# at::parallel_for is a loop of its caller's: OpenMP runs it on LibTorch's threads, by LibTorch's own copy of the runtime
# (two copies would fight for the cores), or one thread does it all. Clang's OpenMP is for another runtime; what GCC has
# compiled needs this one, whoever links it.
file(GLOB relic_gomp LIST_DIRECTORIES FALSE "${RELIC_TORCH_ROOT}/lib/libgomp*.so*")
if(NOT relic_gomp)
  find_library(relic_gomp_of_system NAMES gomp libgomp.so.1 NO_CACHE)
  set(relic_gomp ${relic_gomp_of_system})
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(relic::torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
  if(NOT relic_gomp)
    set(relic_gomp -fopenmp) # lies among GCC's own files
  endif()
endif()
if(relic_gomp)
  target_link_libraries(relic::torch INTERFACE ${relic_gomp})
endif()
set_target_properties(relic::torch PROPERTIES RELIC_TORCH_VERSION "${RELIC_TORCH_VERSION}"
  RELIC_TORCH_ROOT "${RELIC_TORCH_ROOT}")
if(RELIC_WITH_CUDA)
  message(STATUS "CUDA sources: compiled by ${CMAKE_CUDA_COMPILER} for ${CMAKE_CUDA_ARCHITECTURES}")
elseif(RELIC_CUDA STREQUAL "ON")
  message(FATAL_ERROR "RELIC_CUDA is ON, but CUDA sources cannot be compiled: ${relic_no_cuda}.")
elseif(DEFINED RELIC_CUDA)
  message(STATUS "CUDA sources: left out, ${relic_no_cuda}")
endif()
