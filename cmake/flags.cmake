# Flags of everything built in this tree. Nothing here reaches a program that links furrow.

option(FURROW_WERROR "Treat warnings as errors" OFF)
set(FURROW_SANITIZE "" CACHE STRING "Sanitizers, as for -fsanitize=: address,undefined or thread")

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
  endif()
  if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
    find_program(FURROW_CCACHE ccache)
    mark_as_advanced(FURROW_CCACHE)
    if(FURROW_CCACHE)
      set(CMAKE_CXX_COMPILER_LAUNCHER ${FURROW_CCACHE})
    endif()
  endif()
endif()

set(CMAKE_CXX_EXTENSIONS OFF)
if(BUILD_SHARED_LIBS)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)  # object libraries too: they end up in the shared one
endif()

# Same input, same bits is the library's first promise, and it cannot be kept under these.
if("${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELEASE}" MATCHES "-ffast-math|-Ofast|-funsafe-math-opt")
  message(FATAL_ERROR "furrow cannot be built with -ffast-math, -Ofast or -funsafe-math-optimizations: "
    "its results would depend on the compiler and the machine. Programs that link it may use them.")
endif()

# furrow_flags(<target> [UNINSTRUMENTED])
# UNINSTRUMENTED leaves out ThreadSanitizer: it would see into the headers of TBB and libgomp but not
# into their libraries, and report hundreds of races that are none. The backends tell it by hand where
# tasks begin and end; the tasks themselves are instrumented.
function(furrow_flags target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "UNINSTRUMENTED" "" "")
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 sees overlaps in std::string that are none (GCC PR 105651)
    $<$<BOOL:${FURROW_WERROR}>:-Werror>
    -ffp-contract=off)  # a*b+c must round the same with and without FMA
  if(FURROW_SANITIZE)
    # maybe-uninitialized: GCC 12 sees it in std::regex, and only in instrumented code.
    set(instrument -fsanitize=${FURROW_SANITIZE} -fno-omit-frame-pointer
      $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
    if(FURROW_SANITIZE MATCHES "undefined")
      # vptr: GCC reports a bad downcast inside TBB's own headers.
      list(APPEND instrument -fno-sanitize=vptr -fno-sanitize-recover=all)
    endif()
    if(NOT (arg_UNINSTRUMENTED AND FURROW_SANITIZE MATCHES "thread"))
      target_compile_options(${target} PRIVATE ${instrument})
    endif()
    target_link_options(${target} PRIVATE -fsanitize=${FURROW_SANITIZE})
  endif()
endfunction()
