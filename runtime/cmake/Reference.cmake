# Where the slots come from that are not the submission's.
#
#   GORO_REFERENCE  solutions  the course: solutions/ is there and is compiled
#                   sealed     a students' edition with edition/sealed/: objects that were compiled elsewhere
#                   none       a students' edition without: every slot is the submission's
#
#   goro_reference_slots()  makes slot_solution_NN for every slot, unless there is no reference
#
# And how a reference is sealed: the target goro_seal puts the objects of all solutions, without debug
# information, into sealed.tar.zst in the build folder.
set(GORO_SEALED "${PROJECT_SOURCE_DIR}/edition/sealed")
if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/solutions")
  set(GORO_REFERENCE solutions)
elseif(IS_DIRECTORY "${GORO_SEALED}")
  set(GORO_REFERENCE sealed)
else()
  set(GORO_REFERENCE none)
endif()

# What a sealed object depends on besides the compiler's version: any compiler's program can link it.
set(GORO_SEALED_KIND "${GORO_TEST_BUILD}")
if(GORO_SEALED_KIND STREQUAL "")
  set(GORO_SEALED_KIND release)
endif()

function(goro_reference_slots)
  if(GORO_REFERENCE STREQUAL "none")
    return()
  endif()
  if(GORO_REFERENCE STREQUAL "sealed")
    goro_unseal()
  endif()
  foreach(lab IN LISTS GORO_LABS)
    if(GORO_LAB_${lab}_FILES STREQUAL "")
      continue()
    endif()
    set(slot slot_solution_${GORO_LAB_${lab}_NUMBER})
    if(GORO_REFERENCE STREQUAL "solutions")
      goro_slot_object(${slot} ${lab} "${PROJECT_SOURCE_DIR}/solutions" solutions)
      continue()
    endif()
    set(objects "")
    foreach(file IN LISTS GORO_LAB_${lab}_FILES)
      list(APPEND objects "${PROJECT_BINARY_DIR}/sealed/${lab}/${file}.o")
    endforeach()
    add_library(${slot} OBJECT IMPORTED GLOBAL)
    set_target_properties(${slot} PROPERTIES IMPORTED_OBJECTS "${objects}")
  endforeach()
  if(GORO_REFERENCE STREQUAL "solutions")
    goro_add_seal()
  endif()
endfunction()

# Extracts the objects of this kind of build, once for each archive: they are as new as their extraction, and
# whatever is linked with them is linked again.
function(goro_unseal)
  set(archive "${GORO_SEALED}/${GORO_ARCH}-${GORO_SEALED_KIND}.tar.zst")
  if(NOT EXISTS "${archive}")
    message(FATAL_ERROR "this students' edition has no sealed slots for ${GORO_SEALED_KIND} on ${GORO_ARCH}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${archive}")
  file(SHA256 "${archive}" hash)
  set(folder "${PROJECT_BINARY_DIR}/sealed")
  if(EXISTS "${folder}/${hash}")
    return()
  endif()
  file(REMOVE_RECURSE "${folder}")
  file(ARCHIVE_EXTRACT INPUT "${archive}" DESTINATION "${folder}" TOUCH)
  file(TOUCH "${folder}/${hash}")
endfunction()

function(goro_add_seal)
  set(objects "")
  set(lines "")
  foreach(lab IN LISTS GORO_LABS)
    if(NOT GORO_LAB_${lab}_FILES STREQUAL "")
      set(slot "$<TARGET_OBJECTS:slot_solution_${GORO_LAB_${lab}_NUMBER}>")
      list(APPEND objects "${slot}")
      string(APPEND lines "${lab};${slot}\n")
    endif()
  endforeach()
  set(list "${PROJECT_BINARY_DIR}/sealed.txt")
  file(GENERATE OUTPUT "${list}" CONTENT "${lines}")
  set(archive "${PROJECT_BINARY_DIR}/sealed.tar.zst")
  set(script "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/seal.cmake")
  add_custom_command(OUTPUT "${archive}"
    COMMAND "${CMAKE_COMMAND}" "-DLIST=${list}" "-DOBJCOPY=${CMAKE_OBJCOPY}" "-DARCHIVE=${archive}" -P "${script}"
    DEPENDS ${objects} "${list}" "${script}"
    VERBATIM)
  add_custom_target(goro_seal DEPENDS "${archive}")
endfunction()
