# `cmake --install`: headers, library, program, and the package that find_package(relic) reads.
include(CMakePackageConfigHelpers)
set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/relic")

install(TARGETS relic EXPORT relicTargets)
if(TARGET relic_train)
  install(TARGETS relic_train)
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/relic" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT relicTargets NAMESPACE relic:: DESTINATION "${package_folder}")

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/relicConfig.cmake.in" "${PROJECT_BINARY_DIR}/relicConfig.cmake"
  INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/relicConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/relicConfig.cmake" "${PROJECT_BINARY_DIR}/relicConfigVersion.cmake"
  "${PROJECT_SOURCE_DIR}/cmake/RelicTorch.cmake" "${PROJECT_SOURCE_DIR}/cmake/FindWebP.cmake" DESTINATION "${package_folder}")
