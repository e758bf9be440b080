# How our code is compiled: standard, warnings, faster tools where they are found.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug, RelWithDebInfo" FORCE)
endif()

add_library(relic_warnings INTERFACE)
target_compile_options(relic_warnings INTERFACE -Wall -Wextra -Wshadow -Wconversion
  $<$<BOOL:${RELIC_WARNINGS_AS_ERRORS}>:-Werror>)

find_program(RELIC_CCACHE ccache)
if(RELIC_CCACHE)
  # Precompiled headers hold times and macros that ccache would otherwise take for changes.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
    CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${RELIC_CCACHE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)
  endif()
endif()
find_program(RELIC_MOLD mold)
if(RELIC_MOLD)
  add_link_options(-fuse-ld=mold)
endif()
