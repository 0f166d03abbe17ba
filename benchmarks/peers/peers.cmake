# The peers: the same work written straight on each runtime or by means of a library, as a good user would
# with -march=native. The installed command has to run anywhere, so they are compiled for levels of x86-64
# and chosen at run time. What two objects both define, the linker takes from the first it meets: the
# archive stands behind all common code, the least demanding objects first in it, so that a shared inline
# function is the copy that runs everywhere and rounds as usual. Hidden symbols keep the rest from
# replacing functions of the shared library. -ffast-math is for compiling only: linked with, it would make
# the whole process flush denormal numbers to zero.
if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  return()
endif()

set(peer_definitions FURROW_HAS_PEERS)
set(peer_libraries Threads::Threads)
set(peer_objects "")
set(peer_optimise -O3)
if(FURROW_SANITIZE)
  set(peer_optimise -O1)  # nothing is measured there
endif()

# furrow_compile_peers(<build> SOURCES <name>... [LIBS <library>...] [OPTIONS <option>...])
# <build>: one of those in peer.hpp, or `any` for libraries that choose their code at run time.
macro(furrow_compile_peers build)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBS;OPTIONS" ${ARGN})
  list(GET arg_SOURCES 0 target)
  set(target furrow_${target}_${build})
  list(TRANSFORM arg_SOURCES REPLACE "(.+)" "peers/\\1.cpp")
  add_library(${target} OBJECT ${arg_SOURCES})
  furrow_internal(${target} UNINSTRUMENTED)
  target_compile_options(${target} PRIVATE ${peer_optimise}
    -fwrapv  # integers wrap in every kernel
    -ffp-contract=fast -fvisibility=hidden -fvisibility-inlines-hidden ${arg_OPTIONS})
  if(NOT ${build} STREQUAL any)
    string(REGEX MATCH "^v[0-9]" level ${build})
    target_compile_options(${target} PRIVATE -march=x86-64-${level})
    target_compile_definitions(${target} PRIVATE FURROW_PEER_BUILD=${build})
  endif()
  if(${build} MATCHES fast)
    target_compile_options(${target} PRIVATE -ffast-math)
  endif()
  target_link_libraries(${target} PRIVATE ${arg_LIBS})
  list(APPEND peer_objects $<TARGET_OBJECTS:${target}>)
  list(APPEND peer_libraries ${arg_LIBS})
endmacro()

# The loops, and with OpenMP the roof.
set(loops "")
set(loop_libraries "")
set(roof "")
foreach(backend OPENMP TBB STDPAR)
  if(FURROW_${backend})
    string(TOLOWER ${backend} name)
    list(APPEND loops raw_${name})
    list(APPEND loop_libraries $<IF:$<STREQUAL:${backend},OPENMP>,OpenMP::OpenMP_CXX,TBB::tbb>)
    list(APPEND peer_definitions FURROW_HAS_${backend})
  endif()
endforeach()
if(FURROW_OPENMP)
  set(roof roof)
endif()
foreach(build v3 v4)
  furrow_compile_peers(${build} SOURCES serial_loop ${loops} ${roof} LIBS ${loop_libraries})
endforeach()
if(FURROW_OPENMP)
  foreach(build v3 v4)
    furrow_compile_peers(${build} SOURCES raw_openmp_simulations LIBS OpenMP::OpenMP_CXX)
  endforeach()
endif()
if(loops)
  set(order ${loops})
  list(TRANSFORM order APPEND _order)
  furrow_compile_peers(v3 SOURCES ${order} LIBS ${loop_libraries})
endif()

# The libraries: each if it is found. For v4 only where it gives other code: from loops GCC makes vectors of
# 256 bits for v4 as well, and every file costs 10 to 30 seconds.
# furrow_library_peer(<name> BUILDS <build>... [LIBS <library>...] [NAMESPACES <namespace>...] [OPTIONS <option>...])
# NAMESPACES: the library's, renamed for each build, so that the linker does not merge its templates.
macro(furrow_library_peer name)
  cmake_parse_arguments(peer "" "" "BUILDS;LIBS;NAMESPACES;OPTIONS" ${ARGN})
  foreach(build IN LISTS peer_BUILDS)
    set(renamed ${peer_NAMESPACES})
    list(TRANSFORM renamed REPLACE "(.+)" "-D\\1=\\1_${build}")
    furrow_compile_peers(${build} SOURCES ${name} LIBS ${peer_LIBS} OPTIONS ${renamed} ${peer_OPTIONS})
  endforeach()
  string(TOUPPER ${name} upper)
  list(APPEND peer_definitions FURROW_HAS_${upper})
  message(STATUS "furrow: peer ${name}")
endmacro()

# furrow_system_headers(<target> <folder>): an imported library of headers alone, whose warnings are its own.
function(furrow_system_headers target folder)
  add_library(${target} INTERFACE IMPORTED)
  target_include_directories(${target} SYSTEM INTERFACE ${folder})
endfunction()

find_package(Eigen3 QUIET NO_MODULE)
if(Eigen3_FOUND)
  # GCC 12 sees uninitialised variables in its own header of AVX-512.
  furrow_library_peer(eigen BUILDS v3 v4 LIBS Eigen3::Eigen NAMESPACES Eigen
    OPTIONS $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)
endif()

find_path(FURROW_THRUST_INCLUDE thrust/version.h)
mark_as_advanced(FURROW_THRUST_INCLUDE)
if(FURROW_THRUST_INCLUDE)
  furrow_system_headers(furrow_thrust ${FURROW_THRUST_INCLUDE})
  foreach(system omp tbb)
    string(TOUPPER ${system} upper)
    if((system STREQUAL omp AND FURROW_OPENMP) OR (system STREQUAL tbb AND FURROW_TBB))
      # Without a device of its own, Thrust would ask for CUDA.
      furrow_library_peer(thrust_${system} BUILDS v3
        LIBS furrow_thrust $<IF:$<STREQUAL:${system},omp>,OpenMP::OpenMP_CXX,TBB::tbb>
        OPTIONS -DTHRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_${upper} -DTHRUST_IGNORE_CUB_VERSION_CHECK)
    endif()
  endforeach()
endif()

find_path(FURROW_XTENSOR_INCLUDE xtensor/xtensor.hpp)
find_path(FURROW_XSIMD_INCLUDE xsimd/xsimd.hpp)
mark_as_advanced(FURROW_XTENSOR_INCLUDE FURROW_XSIMD_INCLUDE)
if(FURROW_XTENSOR_INCLUDE AND FURROW_XSIMD_INCLUDE AND FURROW_TBB)
  furrow_system_headers(furrow_xtensor ${FURROW_XTENSOR_INCLUDE})
  # GCC 12 takes a parameter of its own AVX-512 functions for uninitialised.
  furrow_library_peer(xtensor BUILDS v3 v4 LIBS furrow_xtensor TBB::tbb NAMESPACES xt xsimd xtl
    OPTIONS -DXTENSOR_USE_XSIMD -DXTENSOR_USE_TBB $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>
      $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>)
endif()

find_package(Armadillo QUIET)
if(ARMADILLO_FOUND AND FURROW_OPENMP)
  # Without its wrapper, which would bring a BLAS into the command: OpenBLAS starts threads and allocates for
  # each when it is loaded, and where memory is limited it never returns.
  set(headers_alone WRAPPER BLAS LAPACK ARPACK SUPERLU HDF5)
  list(TRANSFORM headers_alone PREPEND -DARMA_DONT_USE_)
  furrow_system_headers(furrow_armadillo "${ARMADILLO_INCLUDE_DIRS}")
  furrow_library_peer(armadillo BUILDS v3 LIBS furrow_armadillo OpenMP::OpenMP_CXX OPTIONS ${headers_alone})
endif()

find_path(FURROW_OPENBLAS_INCLUDE openblas_config.h PATH_SUFFIXES openblas-pthread openblas)
mark_as_advanced(FURROW_OPENBLAS_INCLUDE)
if(FURROW_OPENBLAS_INCLUDE)
  furrow_system_headers(furrow_openblas ${FURROW_OPENBLAS_INCLUDE})
  furrow_library_peer(openblas BUILDS any LIBS furrow_openblas ${CMAKE_DL_LIBS})  # loaded when it is measured
endif()

if(TARGET hwy::hwy_contrib)
  furrow_library_peer(vqsort BUILDS any LIBS hwy::hwy_contrib)
endif()

# The loops once more, with -ffast-math: last, as said above.
if(loops)
  furrow_compile_peers(v3_fast SOURCES ${loops} LIBS ${loop_libraries})
endif()

add_library(furrow_peers STATIC ${peer_objects})
set_target_properties(furrow_peers PROPERTIES LINKER_LANGUAGE CXX)
list(REMOVE_DUPLICATES peer_libraries)
foreach(library IN LISTS peer_libraries)
  target_link_libraries(furrow_peers PRIVATE $<LINK_ONLY:${library}>)
endforeach()
set_property(SOURCE peers.cpp APPEND PROPERTY COMPILE_DEFINITIONS ${peer_definitions})
