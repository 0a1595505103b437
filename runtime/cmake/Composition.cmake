# A runtime is the frame and one folder for each slot. Every slot is compiled once from the solutions (or comes
# as objects, see Reference.cmake) and, in the course, once from the submission; a composition only picks objects, so checking a lab compiles
# one slot and links.
#
#   goro_slot_object(<target> <lab> <folder> <shown>)
#                                               compiles <folder>/<lab>/<slot files>; whoever reports a place
#                                               in them names it <shown>/<lab>/<slot file>
#   goro_compose(<target> SUBMITTED <lab>…)     links the frame and all slots into <target>: the submission's
#                                               for the labs named, the reference's for all others

# How the target is compiled or linked is the grader's business, who may do it in a sandbox.
function(goro_confine target step)
  if(GORO_BUILD_STEP)
    string(TOUPPER ${step} rule)
    set_target_properties(${target} PROPERTIES RULE_LAUNCH_${rule}
      "\"${GORO_BUILD_STEP}\" build-step ${step} \"${PROJECT_SOURCE_DIR}\" \"${PROJECT_BINARY_DIR}\"")
  endif()
endfunction()

function(goro_slot_object target lab folder shown)
  set(sources "")
  foreach(file IN LISTS GORO_LAB_${lab}_FILES)
    list(APPEND sources "${folder}/${lab}/${file}")
  endforeach()
  add_library(${target} OBJECT EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(${target} PRIVATE goro_internal)
  # Slots run on g0, but for a few functions with small frames.
  set_target_properties(${target} PROPERTIES GORO_ANY_FRAME ON)
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:${GORO_RUNTIME_OPTIONS}>")
  # The frame's headers, compiled once: half of what a slot file costs is reading them.
  if(sources MATCHES "\\.cpp")
    target_precompile_headers(${target} REUSE_FROM goro_frame)
  endif()
  # Crash reports and the debugger know a slot's file by its place in the repository, and a submission's
  # from a solution's, wherever the submission lies.
  target_compile_options(${target} PRIVATE "-ffile-prefix-map=${folder}/=${shown}/")
  if(folder STREQUAL GORO_SUBMISSION)
    goro_confine(${target} compile)
  endif()
endfunction()

function(goro_compose target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SUBMITTED")
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:goro_frame> ${GORO_DEMANGLER_OBJECT})
  foreach(lab IN LISTS GORO_LABS)
    if(GORO_LAB_${lab}_FILES STREQUAL "")
      continue()
    endif()
    if(lab IN_LIST arg_SUBMITTED OR GORO_REFERENCE STREQUAL "none")
      set(origin submitted)
    else()
      set(origin solution)
    endif()
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:slot_${origin}_${GORO_LAB_${lab}_NUMBER}>)
  endforeach()
  if(arg_SUBMITTED)
    goro_confine(${target} link)
  endif()
endfunction()
