# Debian packages: `./dev package`, or `cpack -G DEB` in a build directory whose CMAKE_INSTALL_LIBDIR is that of the architecture.

set(CPACK_PACKAGE_NAME furrow)
set(CPACK_PACKAGE_VENDOR furrow)
# Whoever hands packages on gives his own: cpack -D CPACK_PACKAGE_CONTACT="Name <address>"
set(CPACK_PACKAGE_CONTACT "furrow developers <furrow@example.org>")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL runtime development tools)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${PROJECT_BINARY_DIR}/engine)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY =)

# The first line of each description is the project's.
set(about "furrow runs one set of kernels on OpenMP, oneTBB or the standard parallel algorithms,
with the same bits on all of them, for every number of threads and instruction set.
.
This package holds")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libfurrow${PROJECT_VERSION_MAJOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_DESCRIPTION "${about} the shared library.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libfurrow-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION "${about} the headers for C++20 and C99,
and what CMake and pkg-config need.")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME furrow-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION science)
set(CPACK_DEBIAN_TOOLS_DESCRIPTION "${about} the command furrow,
which measures a machine and picks its backend, runs simulations, and computes
with NumPy files.")
set(same_version "${CPACK_DEBIAN_RUNTIME_PACKAGE_NAME} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "${same_version}")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "${same_version}")
include(CPack)
