# The shared LIBRARY exports names of furrow's own and no others.
execute_process(COMMAND ${NM} -D --defined-only --format=posix ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
list(LENGTH symbols number)
# Names as compilers write them: functions and variables, then tables and type information, then variables in functions.
list(FILTER symbols EXCLUDE REGEX "^(furrow_|FURROW_|_ZNK?6furrow|_ZT.N6furrow|_ZTh.*_NK?6furrow|_Z(GV)?ZNK?6furrow|_ZGVN6furrow)")
if(symbols)
  message(FATAL_ERROR "exported, and none of furrow's: ${symbols}")
endif()
if(number LESS 500)
  message(FATAL_ERROR "only ${number} names are exported: the programs of this tree need more")
endif()
