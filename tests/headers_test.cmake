cmake_minimum_required(VERSION 3.25)

# What the parts of <furrow/furrow.hpp> bring in: no runtime, no other library, and none of the standard's headers that take long to
# compile.
set(costly algorithm chrono cmath complex condition_variable deque execution filesystem format fstream functional future iostream
  list map mutex numeric random ranges regex set shared_mutex sstream thread unordered_map unordered_set variant)
execute_process(COMMAND ${CXX} -std=c++20 -MM -I ${INCLUDE} ${INCLUDE}/furrow/furrow.hpp
  OUTPUT_VARIABLE headers COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+/furrow/[^ \n]+[.]hpp" headers "${headers}")
list(LENGTH headers number)
if(number LESS 40)
  message(FATAL_ERROR "only ${number} headers are seen: ${headers}")
endif()
list(FILTER headers EXCLUDE REGEX "/operations[.]hpp$")  # <functional> only where there is nothing less
list(FILTER headers EXCLUDE REGEX "/furrow[.]hpp$")  # two for programs' functors
foreach(header IN LISTS headers)
  file(STRINGS ${header} lines REGEX "^#include <")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#include <([^>]+)>.*" "\\1" name "${line}")
    if(name IN_LIST costly OR name MATCHES "^(tbb|oneapi|omp|Eigen|hwy|nlohmann)")
      message(SEND_ERROR "${header} includes <${name}>, and so does every program: docs/design.md says what to do instead")
    endif()
  endforeach()
endforeach()
