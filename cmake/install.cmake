# `cmake --install` gives include/furrow, the library, the command, find_package(furrow) and pkg-config's furrow.pc; `cpack -G DEB`
# makes three Debian packages of them. Components: `runtime` (the shared library), `development`, `tools`.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# furrow_public_headers(<folder below include/furrow, or .> <header>...): the rest stays in the tree.
function(furrow_public_headers folder)
  foreach(header IN LISTS ARGN)
    set_property(GLOBAL APPEND PROPERTY furrow_public_headers ${CMAKE_CURRENT_SOURCE_DIR}/${header})  # for the documentation
    get_filename_component(inside ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/furrow/${folder}/${inside} COMPONENT development)
  endforeach()
endfunction()

# Installed programs find the library wherever the whole prefix is moved.
file(RELATIVE_PATH furrow_bin_to_lib ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set(furrow_install_rpath $ORIGIN/${furrow_bin_to_lib})

# furrow_install_library(<target>)
function(furrow_install_library target)
  install(TARGETS ${target} EXPORT furrow-targets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
    ARCHIVE COMPONENT development)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/furrow)
  install(EXPORT furrow-targets NAMESPACE furrow:: DESTINATION ${package_dir} COMPONENT development)

  # What find_package(furrow COMPONENTS ...) and `pkg-config --variable=backends furrow` know.
  list(JOIN furrow_backends " " FURROW_PACKAGE_BACKENDS)

  # A static library hands its dependencies on to whoever links it; the shared one carries them itself.
  set(FURROW_PACKAGE_DEPENDENCIES "")
  set(FURROW_PC_REQUIRES "")
  set(FURROW_PC_LIBS "")
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    set(FURROW_PACKAGE_DEPENDENCIES "find_dependency(Threads)\nfind_dependency(hwy)")
    set(FURROW_PC_REQUIRES libhwy)
    set(FURROW_PC_LIBS "-lsleef -lstdc++ -lm -pthread -Wl,-z,nodelete")
    if(FURROW_TBB OR FURROW_STDPAR)
      string(APPEND FURROW_PACKAGE_DEPENDENCIES "\nfind_dependency(TBB)")
      string(APPEND FURROW_PC_REQUIRES " tbb")
    endif()
    if(FURROW_OPENMP)
      string(APPEND FURROW_PACKAGE_DEPENDENCIES "\nfind_dependency(OpenMP COMPONENTS CXX)")
      string(PREPEND FURROW_PC_LIBS "${OpenMP_CXX_FLAGS} ")
    endif()
  endif()

  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/furrow-config.cmake.in
    ${PROJECT_BINARY_DIR}/furrow-config.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/furrow-config-version.cmake
    COMPATIBILITY SameMinorVersion)  # before 1.0 a minor release may change the interface
  install(FILES ${PROJECT_BINARY_DIR}/furrow-config.cmake
    ${PROJECT_BINARY_DIR}/furrow-config-version.cmake DESTINATION ${package_dir} COMPONENT development)

  # From furrow.pc to the prefix, so that the whole of it may be moved.
  file(RELATIVE_PATH FURROW_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
  file(RELATIVE_PATH FURROW_PC_LIBDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_LIBDIR})
  file(RELATIVE_PATH FURROW_PC_INCLUDEDIR ${CMAKE_INSTALL_PREFIX} ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  configure_file(${PROJECT_SOURCE_DIR}/cmake/furrow.pc.in ${PROJECT_BINARY_DIR}/furrow.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/furrow.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()
