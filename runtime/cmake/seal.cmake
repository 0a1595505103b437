# cmake -DLIST=FILE -DOBJCOPY=PROGRAM -DARCHIVE=FILE -P seal.cmake: each line of LIST is a lab and its
# objects, with semicolons between. ARCHIVE gets lab/name.o of each, without debug information: that would
# tell names and types of every variable. The same objects make the same archive.
set(folder "${ARCHIVE}.d")
file(REMOVE_RECURSE "${folder}")
file(READ "${LIST}" text)
string(REPLACE ";" "|" text "${text}")
string(REGEX MATCHALL "[^\n]+" lines "${text}")
set(labs "")
foreach(line IN LISTS lines)
  string(REPLACE "|" ";" objects "${line}")
  list(POP_FRONT objects lab)
  list(APPEND labs "${lab}")
  file(MAKE_DIRECTORY "${folder}/${lab}")
  foreach(object IN LISTS objects)
    get_filename_component(name "${object}" NAME)
    execute_process(COMMAND "${OBJCOPY}" --strip-debug "${object}" "${folder}/${lab}/${name}"
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endforeach()
execute_process(
  COMMAND "${CMAKE_COMMAND}" -E tar cf "${ARCHIVE}" --zstd "--mtime=2000-01-01 00:00:00 UTC" ${labs}
  WORKING_DIRECTORY "${folder}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${folder}")
