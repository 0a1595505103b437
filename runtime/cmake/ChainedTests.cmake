# A test that is to hold on copied stacks and on chained ones alike: NAME, and where there are chained stacks
# NAME.chained, which is the same with GORO_DEBUG=chainedstacks=1.
#
#   goro_add_test_on_both(<name> COMMAND <command>… [PROPERTIES <property> <value>…])
function(goro_add_test_on_both name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "COMMAND;PROPERTIES")
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  if(arg_PROPERTIES)
    set_tests_properties(${name} PROPERTIES ${arg_PROPERTIES})
  endif()
  # A simulation takes long, and its threads share all other code with the build that has none.
  if(GORO_ARCH STREQUAL "x86_64" AND GORO_SANITIZE STREQUAL "" AND NOT GORO_SIMULATE)
    add_test(NAME ${name}.chained COMMAND ${arg_COMMAND})
    set_tests_properties(${name}.chained PROPERTIES ${arg_PROPERTIES} ENVIRONMENT GORO_DEBUG=chainedstacks=1)
  endif()
endfunction()
