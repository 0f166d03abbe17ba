# What furrow is built on, and which backends this build has. All of it is private: a program that
# links the shared library needs none of these.

find_package(Threads REQUIRED)
find_package(hwy REQUIRED)            # SIMD with dispatch at run time
find_library(FURROW_SLEEF_LIBRARY sleef REQUIRED)  # mathematical functions of SIMD vectors; it brings no CMake package
find_package(nlohmann_json REQUIRED)  # the tuning file
find_path(FURROW_XXHASH_INCLUDE xxhash.h REQUIRED)  # checksums of checkpoints; used as a header alone
mark_as_advanced(FURROW_XXHASH_INCLUDE)

foreach(backend OPENMP TBB STDPAR)
  set(FURROW_${backend} AUTO CACHE STRING "Backend ${backend}: ON, OFF, or AUTO (if it is found)")
  set_property(CACHE FURROW_${backend} PROPERTY STRINGS AUTO ON OFF)
endforeach()

# furrow_decide(<backend> <found> <reason>): turns AUTO into ON or OFF, and ON without its runtime into an error.
function(furrow_decide backend found reason)
  if(FURROW_${backend} STREQUAL "AUTO")
    set(FURROW_${backend} ${found})
  elseif(FURROW_${backend} AND NOT found)
    message(FATAL_ERROR "FURROW_${backend}=ON, but ${reason}. Install it or set FURROW_${backend}=OFF.")
  endif()
  if(FURROW_${backend})
    message(STATUS "furrow: backend ${backend} on")
  else()
    message(STATUS "furrow: backend ${backend} off (${reason})")
  endif()
  set(FURROW_${backend} ${FURROW_${backend}} PARENT_SCOPE)
endfunction()

set(openmp_found OFF)
if(FURROW_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
  # clang accepts -fopenmp=libgomp and then generates serial code without a word.
  if(OpenMP_CXX_FOUND AND NOT "${OpenMP_CXX_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-fopenmp=libgomp")
    set(openmp_found ON)
  endif()
endif()
furrow_decide(OPENMP ${openmp_found} "no OpenMP for this compiler, or switched off")

set(tbb_found OFF)
set(stdpar_found OFF)
if(FURROW_TBB OR FURROW_STDPAR)
  find_package(TBB QUIET)
  if(TBB_FOUND)
    set(tbb_found ON)
  endif()
endif()
if(FURROW_STDPAR AND TBB_FOUND)
  # libstdc++ runs its parallel policies on TBB, or serially if it does not find TBB's headers.
  include(CheckCXXSourceCompiles)
  block()
    set(CMAKE_REQUIRED_LIBRARIES TBB::tbb)
    set(CMAKE_CXX_STANDARD 20)  # clang's own default would come behind a flag for it, and win
    check_cxx_source_compiles("
      #include <execution>
      #ifndef _PSTL_PAR_BACKEND_TBB
      #error serial policies
      #endif
      int main() {}" FURROW_STDPAR_IS_PARALLEL)
  endblock()
  if(FURROW_STDPAR_IS_PARALLEL)
    set(stdpar_found ON)
  endif()
endif()
furrow_decide(TBB ${tbb_found} "oneTBB was not found, or switched off")
furrow_decide(STDPAR ${stdpar_found} "the standard library has no parallel policies on TBB, or switched off")

set(furrow_backends serial)
foreach(backend openmp tbb stdpar)
  string(TOUPPER ${backend} upper)
  if(FURROW_${upper})
    list(APPEND furrow_backends ${backend})
  endif()
endforeach()
