# One function per kind of target.

# In the tree as after install, headers are reached as <furrow/engine/....hpp>, <furrow/kernels/....hpp>
# <furrow/furrow.hpp>, …: links in the build directory give the tree that shape.
set(furrow_include_dir ${PROJECT_BINARY_DIR}/include)
file(MAKE_DIRECTORY ${furrow_include_dir}/furrow)
foreach(link engine kernels)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${link} ${furrow_include_dir}/furrow/${link} SYMBOLIC)
endforeach()
foreach(header furrow.hpp furrow.h eigen.hpp eigen_sparse.hpp)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/kernels/${header} ${furrow_include_dir}/furrow/${header} SYMBOLIC)
endforeach()

# What the targets of this tree, and only they, compile with.
# Headers of tests, tools and benchmarks are reached from the root: "tools/npy.hpp".
function(furrow_internal target)
  furrow_flags(${target} ${ARGN})
  target_compile_definitions(${target} PRIVATE FURROW_VERSION="${PROJECT_VERSION}")
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${furrow_include_dir})
endfunction()

# furrow_add_backend(<name> [<library>...]): <name>_backend.cpp, with its runtime's flags private to it.
function(furrow_add_backend name)
  set(target furrow_${name}_backend)
  add_library(${target} OBJECT ${name}_backend.cpp)
  furrow_internal(${target} UNINSTRUMENTED)
  target_link_libraries(${target} PRIVATE ${ARGN})
  target_sources(furrow PRIVATE $<TARGET_OBJECTS:${target}>)
  foreach(library IN LISTS ARGN)
    target_link_libraries(furrow PRIVATE $<LINK_ONLY:${library}>)
  endforeach()
  string(TOUPPER ${name} upper)
  set_property(SOURCE registry.cpp APPEND PROPERTY COMPILE_DEFINITIONS FURROW_HAS_${upper})
endfunction()

# furrow_add_internal_library(<target> SOURCES <file>... LIBS <library>...): static, never installed.
function(furrow_add_internal_library target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_library(${target} STATIC ${arg_SOURCES})
  furrow_internal(${target})
  target_link_libraries(${target} PUBLIC ${arg_LIBS})
endfunction()

# furrow_add_program(<target> SOURCES <file>... LIBS <library>...)
function(furrow_add_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
  add_executable(${target} ${arg_SOURCES})
  furrow_internal(${target})
  target_link_libraries(${target} PRIVATE ${arg_LIBS})
endfunction()

# A test leaves the user's tuning file alone, and a sanitizer's first finding ends it.
set(furrow_test_environment
  FURROW_TUNING=none
  "TSAN_OPTIONS=ignore_noninstrumented_modules=1 halt_on_error=1"  # memory that TBB and libgomp handle among themselves
  "UBSAN_OPTIONS=print_stacktrace=1")
set(furrow_test_launcher "")
if(FURROW_SANITIZE MATCHES "thread" AND EXISTS /proc/sys/vm/mmap_rnd_bits)
  # GCC 12's ThreadSanitizer stops with "unexpected memory mapping" where addresses are more random.
  file(READ /proc/sys/vm/mmap_rnd_bits bits)
  if(bits GREATER 28)
    set(furrow_test_launcher setarch -R)
  endif()
endif()

# furrow_register_test(<name> <label>... COMMAND <command>...)
function(furrow_register_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;LABELS")
  add_test(NAME ${name} COMMAND ${furrow_test_launcher} ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "${furrow_test_environment}" LABELS "${arg_LABELS}" TIMEOUT 900)
endfunction()

# furrow_add_test(<name> [SOURCES <file>...] [LIBS <library>...] [LABELS <label>...])
# A GoogleTest program; SOURCES are <name>.cpp unless given. Labels: `sanitize` runs under the
# sanitizers in every test run, `long` only in `./dev test --all`.
function(furrow_add_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS;LABELS")
  if(NOT arg_SOURCES)
    set(arg_SOURCES ${name}.cpp)
  endif()
  furrow_add_program(${name} SOURCES ${arg_SOURCES} LIBS ${arg_LIBS} furrow::furrow GTest::gtest_main)
  furrow_register_test(${name} COMMAND $<TARGET_FILE:${name}> LABELS ${arg_LABELS})
  # They run with more threads than cores, where threads that spin keep those that work from their cores: twice the time.
  set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT OMP_WAIT_POLICY=passive)
  if("sanitize" IN_LIST arg_LABELS)
    add_dependencies(sanitize_tests ${name})
  endif()
endfunction()

# furrow_add_planted_fault(<name> <report>): passes only if the sanitizer prints <report>.
function(furrow_add_planted_fault name report)
  furrow_add_program(${name} SOURCES ${name}.cpp LIBS furrow::furrow)
  furrow_register_test(${name} COMMAND $<TARGET_FILE:${name}> LABELS sanitize)
  set_tests_properties(${name} PROPERTIES PASS_REGULAR_EXPRESSION ${report})
  add_dependencies(sanitize_tests ${name})
endfunction()

# furrow_add_example(<name>): a small complete program, built and run as a test.
function(furrow_add_example name)
  furrow_add_program(example_${name} SOURCES ${name}.cpp LIBS furrow::furrow)
  set_target_properties(example_${name} PROPERTIES OUTPUT_NAME ${name})
  furrow_register_test(example_${name} COMMAND $<TARGET_FILE:example_${name}> LABELS example)
endfunction()
