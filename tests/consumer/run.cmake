# Run by ctest: installs this build into a prefix of its own, then builds and runs the consumer against it.
function(step name)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${name} failed (${status})")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}")
step("Installing" "${CMAKE_COMMAND}" --install "${build}" --prefix "${work}/prefix")
step("The installed program" "${work}/prefix/bin/relic_train" --version)
step("Configuring the consumer" "${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${work}/build" -G "${generator}"
  -D "CMAKE_PREFIX_PATH=${work}/prefix" -D "CMAKE_CXX_COMPILER=${compiler}" -D "CMAKE_CXX_COMPILER_LAUNCHER=${launcher}"
  -D CMAKE_BUILD_TYPE=Release)
step("Building the consumer" "${CMAKE_COMMAND}" --build "${work}/build")
step("The consumer" "${work}/build/consumer")
