# Writes the commit of SOURCE_DIR to the header OUTPUT, at every build; touches it only when the commit changed.
set(commit "")
find_program(GIT git)
if(GIT)
  # A copy inside somebody else's repository is not at their commit.
  execute_process(COMMAND ${GIT} -C "${SOURCE_DIR}" rev-parse --show-prefix
    OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(status EQUAL 0 AND prefix STREQUAL "")
    execute_process(COMMAND ${GIT} -C "${SOURCE_DIR}" describe --always --abbrev=12 --dirty=-modified --exclude=*
      OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
endif()
if(commit STREQUAL "")
  set(commit "unknown")
endif()

set(text "#pragma once\n\nnamespace relic {\n\ninline constexpr const char* kGitCommit = \"${commit}\";\n\n}  // namespace relic\n")
set(old "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" old)
endif()
if(NOT text STREQUAL old)
  file(WRITE "${OUTPUT}" "${text}")
endif()
