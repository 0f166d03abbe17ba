# `cmake --install` gives include/furrow, the library, the command, and find_package(furrow).

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# furrow_public_headers(<folder below include/furrow, or .> <header>...): the rest stays in the tree.
function(furrow_public_headers folder)
  list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE headers)
  set_property(GLOBAL APPEND PROPERTY furrow_public_headers ${headers})  # for the documentation
  install(FILES ${ARGN} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/furrow/${folder} COMPONENT furrow)
endfunction()

# Installed programs find the library wherever the whole prefix is moved.
file(RELATIVE_PATH furrow_bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set(furrow_install_rpath $ORIGIN/${furrow_bin_to_lib})

# furrow_install_library(<target>)
function(furrow_install_library target)
  install(TARGETS ${target} EXPORT furrow-targets COMPONENT furrow)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/furrow)
  install(EXPORT furrow-targets NAMESPACE furrow:: DESTINATION ${package_dir} COMPONENT furrow)
  # A static library hands its dependencies on to whoever links it; the shared one carries them itself.
  set(FURROW_PACKAGE_DEPENDENCIES "")
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set(FURROW_PACKAGE_DEPENDENCIES "find_dependency(Threads)\nfind_dependency(hwy)")
    if(FURROW_TBB OR FURROW_STDPAR)
      string(APPEND FURROW_PACKAGE_DEPENDENCIES "\nfind_dependency(TBB)")
    endif()
    if(FURROW_OPENMP)
      string(APPEND FURROW_PACKAGE_DEPENDENCIES "\nfind_dependency(OpenMP COMPONENTS CXX)")
    endif()
  endif()
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/furrow-config.cmake.in
    ${PROJECT_BINARY_DIR}/furrow-config.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/furrow-config-version.cmake
    COMPATIBILITY SameMinorVersion)  # before 1.0 a minor release may change the interface
  install(FILES ${PROJECT_BINARY_DIR}/furrow-config.cmake
    ${PROJECT_BINARY_DIR}/furrow-config-version.cmake DESTINATION ${package_dir} COMPONENT furrow)
endfunction()
