# Packages that the library and the program use.
find_package(Threads REQUIRED)
find_package(Torch REQUIRED)
find_package(OpenCV 4.5 REQUIRED COMPONENTS core imgproc imgcodecs)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json REQUIRED)
if(RELIC_BUILD_TESTS)
  find_package(GTest REQUIRED)
endif()

# LibTorch as one target of ours, so that how it was found stays in this file.
add_library(relic_torch INTERFACE)
target_link_libraries(relic_torch INTERFACE ${TORCH_LIBRARIES})
