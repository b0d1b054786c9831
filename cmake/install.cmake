# What `cmake --install` puts where, the package that find_package(atelier) reads, and the .deb.
#
# Components: `runtime` is the binary and its licence, `development` the archive, the headers and the CMake package. Installed headers are
# those that lie directly in a room's folder, and generate/grammar/; other sub-folders (kernels/simd/, quant/formats/, …), cli/ and serve/ are
# not for users of the library.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(headers GLOBAL PROPERTY atelier_headers)
list(FILTER headers INCLUDE REGEX "/atelier/([a-z]+|generate/grammar)/[a-z0-9_]+\\.h$")
list(FILTER headers EXCLUDE REGEX "/atelier/(cli|serve)/")
target_sources(atelier_lib PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${headers})

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/atelier)
install(TARGETS atelier_lib EXPORT atelierTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development
        FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(EXPORT atelierTargets NAMESPACE atelier:: DESTINATION ${package_dir} COMPONENT development)
configure_package_config_file(cmake/atelierConfig.cmake.in ${CMAKE_BINARY_DIR}/atelierConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/atelierConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/atelierConfig.cmake ${CMAKE_BINARY_DIR}/atelierConfigVersion.cmake
        DESTINATION ${package_dir} COMPONENT development)

install(TARGETS atelier RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(FILES README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright COMPONENT runtime)

# The .deb holds the runtime only; dpkg-shlibdeps writes its Depends.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "Atelier contributors")
set(CPACK_PACKAGE_CONTACT "Atelier contributors <atelier@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_COMPONENTS_ALL runtime)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME atelier)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
include(CPack)

# A program outside the tree uses what was installed, and the examples do. The sanitizers' runtime is not part of the package.
if(ATELIER_BUILD_TESTS AND NOT ATELIER_SANITIZE)
  add_test(NAME install COMMAND ${CMAKE_SOURCE_DIR}/scripts/check_install.sh ${CMAKE_BINARY_DIR})
endif()
