# relic_part(NAME [TORCH] SOURCES file... [DEPENDS part...] [LIBRARIES target...])
#   One folder of the library as a target of its own, part_NAME. A part sees the headers of the parts it names in
#   DEPENDS through one include root, and links only to them: an arrow that points the wrong way does not link.
#   TORCH: the part uses LibTorch (and its precompiled header); RELIC_WITH_CUDA says whether CUDA sources are compiled.
# relic_test(NAME [TORCH] [LONG] SOURCES file... PARTS part... [LIBRARIES target...])
#   A GoogleTest executable test_NAME over those parts; its tests enter ctest one by one, labelled NAME.
#   LONG: ctest begins them before others, so that they do not run on alone at the end.
include(GoogleTest OPTIONAL)

if(RELIC_PRECOMPILE_HEADERS)
  file(GENERATE OUTPUT "${PROJECT_BINARY_DIR}/relic_pch.cpp" CONTENT "")
  add_library(relic_pch OBJECT "${PROJECT_BINARY_DIR}/relic_pch.cpp")
  target_link_libraries(relic_pch PRIVATE relic::torch relic_warnings)
  target_precompile_headers(relic_pch PRIVATE <torch/torch.h>)
  set_target_properties(relic_pch PROPERTIES UNITY_BUILD OFF)
endif()

function(relic_use_torch target)
  target_link_libraries(${target} PUBLIC relic::torch)
  if(RELIC_PRECOMPILE_HEADERS)
    target_precompile_headers(${target} REUSE_FROM relic_pch)
  endif()
endfunction()

function(relic_part name)
  cmake_parse_arguments(PART "TORCH" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(part_${name} STATIC ${PART_SOURCES})
  # What computes is compiled by itself in a unity build, too, so that neither its speed nor its rounding depends on what
  # stands beside it; and what only a GPU needs, so that the rest is compiled together as it is without one.
  set(kernels ${PART_SOURCES})
  list(FILTER kernels INCLUDE REGEX "^(cpu|cuda|winograd)/")
  set_source_files_properties(${kernels} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  target_include_directories(part_${name} PUBLIC "${PROJECT_SOURCE_DIR}/include" PRIVATE "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM PART_DEPENDS PREPEND part_)
  target_link_libraries(part_${name} PUBLIC ${PART_DEPENDS} PRIVATE relic_warnings ${PART_LIBRARIES})
  if(PART_TORCH)
    relic_use_torch(part_${name})
    target_compile_definitions(part_${name} PUBLIC RELIC_WITH_CUDA=$<BOOL:${RELIC_WITH_CUDA}>)
    if(RELIC_WITH_CUDA)
      list(APPEND PART_LIBRARIES CUDA::cudart)
      target_link_libraries(part_${name} PRIVATE CUDA::cudart)
    endif()
  endif()
  set_property(GLOBAL APPEND PROPERTY RELIC_PARTS part_${name})
  set_property(GLOBAL APPEND PROPERTY RELIC_PART_LIBRARIES ${PART_LIBRARIES})
endfunction()

function(relic_test name)
  cmake_parse_arguments(TEST "TORCH;LONG" "" "SOURCES;PARTS;LIBRARIES" ${ARGN})
  add_executable(test_${name} ${TEST_SOURCES})
  list(TRANSFORM TEST_PARTS PREPEND part_)
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(test_${name} PRIVATE ${TEST_PARTS} ${TEST_LIBRARIES} relic_warnings
    GTest::gtest GTest::gmock GTest::gtest_main nlohmann_json::nlohmann_json)
  target_compile_definitions(test_${name} PRIVATE RELIC_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data")
  if(TEST_TORCH)
    relic_use_torch(test_${name})
  endif()
  gtest_discover_tests(test_${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS ${name} COST $<IF:$<BOOL:${TEST_LONG}>,1000,0>
    ENVIRONMENT "OMP_NUM_THREADS=1") # ctest runs several at once
endfunction()
