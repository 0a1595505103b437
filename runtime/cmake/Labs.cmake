# Reads labs/*/lab.json, the one place that states a lab's slot and files.
#
# goro_read_labs() sets, in the caller's scope:
#   GORO_LABS                 folder names, in order: 00-…;01-…
#   GORO_LAB_<folder>_FILES   the slot's files for this architecture; empty when the lab has no slot
#   GORO_LAB_<folder>_NUMBER  two digits
function(goro_read_labs)
  file(GLOB manifests CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/labs/*/lab.json")
  list(SORT manifests)
  set(labs "")
  foreach(manifest IN LISTS manifests)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${manifest}")
    get_filename_component(folder "${manifest}" DIRECTORY)
    get_filename_component(lab "${folder}" NAME)
    list(APPEND labs "${lab}")
    string(SUBSTRING "${lab}" 0 2 number)
    set(GORO_LAB_${lab}_NUMBER "${number}" PARENT_SCOPE)

    file(READ "${manifest}" json)
    string(JSON count ERROR_VARIABLE no_slot LENGTH "${json}" slot files)
    set(files "")
    if(NOT no_slot)
      math(EXPR last "${count} - 1")
      foreach(i RANGE ${last})
        string(JSON file GET "${json}" slot files ${i})
        # name_x86_64.S and name_aarch64.S are for their architecture only.
        if(file MATCHES "_(x86_64|aarch64)\\.[^.]+$" AND NOT CMAKE_MATCH_1 STREQUAL GORO_ARCH)
          continue()
        endif()
        list(APPEND files "${file}")
      endforeach()
    endif()
    set(GORO_LAB_${lab}_FILES "${files}" PARENT_SCOPE)
  endforeach()
  set(GORO_LABS "${labs}" PARENT_SCOPE)
endfunction()

goro_read_labs()
