// Library functions that get an entry point of their own in foreign_calls.S. Read by the assembler,
// which makes the entry points, and by foreign_calls.cpp, which finds the real functions.
//
//   GROWS(name)   needs room: the entry makes sure of kForeignRoom first
//   PASSES(name)  needs a few dozen bytes at most: the entry only jumps
#pragma once

/* clang-format off */
#define GORO_FOREIGN_FUNCTIONS(GROWS, PASSES)         \
  /* Raising an exception, and everything around it. */ \
  GROWS(__cxa_throw)                                  \
  GROWS(__cxa_rethrow)                                \
  GROWS(__cxa_begin_catch)                            \
  GROWS(__cxa_end_catch)                              \
  GROWS(__cxa_allocate_exception)                     \
  GROWS(__cxa_free_exception)                         \
  GROWS(__cxa_bad_cast)                               \
  GROWS(__dynamic_cast)                               \
  GROWS(_ZSt17current_exceptionv)                     \
  GROWS(_ZSt17rethrow_exceptionNSt15__exception_ptr13exception_ptrE) \
  GROWS(_ZNSt15__exception_ptr13exception_ptr9_M_addrefEv) \
  GROWS(_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv) \
  /* std::runtime_error and std::logic_error, from const char*, from std::string, copied; destroyed. */ \
  GROWS(_ZNSt13runtime_errorC1EPKc)                   \
  GROWS(_ZNSt13runtime_errorC2EPKc)                   \
  GROWS(_ZNSt13runtime_errorC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt13runtime_errorC2ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt13runtime_errorC1ERKS_)                  \
  GROWS(_ZNSt13runtime_errorC2ERKS_)                  \
  GROWS(_ZNSt13runtime_errorD1Ev)                     \
  GROWS(_ZNSt13runtime_errorD2Ev)                     \
  GROWS(_ZNSt11logic_errorC1EPKc)                     \
  GROWS(_ZNSt11logic_errorC2EPKc)                     \
  GROWS(_ZNSt11logic_errorC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt11logic_errorC2ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt11logic_errorD1Ev)                       \
  GROWS(_ZNSt11logic_errorD2Ev)                       \
  GROWS(_ZNSt16invalid_argumentC1EPKc)                \
  GROWS(_ZNSt16invalid_argumentC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt16invalid_argumentD1Ev)                  \
  GROWS(_ZNSt12out_of_rangeC1EPKc)                    \
  GROWS(_ZNSt12out_of_rangeC1ERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE) \
  GROWS(_ZNSt12out_of_rangeD1Ev)                      \
  GROWS(_ZNSt9exceptionD2Ev)                          \
  GROWS(_ZNSt9bad_allocD1Ev)                          \
  /* What the containers call when something is wrong. */ \
  GROWS(_ZSt16__throw_bad_castv)                      \
  GROWS(_ZSt17__throw_bad_allocv)                     \
  GROWS(_ZSt28__throw_bad_array_new_lengthv)          \
  GROWS(_ZSt19__throw_logic_errorPKc)                 \
  GROWS(_ZSt20__throw_length_errorPKc)                \
  GROWS(_ZSt20__throw_out_of_rangePKc)                \
  GROWS(_ZSt24__throw_out_of_range_fmtPKcz)           \
  GROWS(_ZSt24__throw_invalid_argumentPKc)            \
  GROWS(_ZSt21__throw_runtime_errorPKc)               \
  GROWS(_ZSt20__throw_system_errori)                  \
  GROWS(_ZSt25__throw_bad_function_callv)             \
  /* At the end of every function with a buffer, where -fstack-protector is on (Ubuntu's default). */ \
  GROWS(__stack_chk_fail)                             \
  /* Memory and strings: leaves without frames. */    \
  PASSES(memcpy)                                      \
  PASSES(memmove)                                     \
  PASSES(memset)                                      \
  PASSES(memcmp)                                      \
  PASSES(memchr)                                      \
  PASSES(strlen)                                      \
  PASSES(strcmp)                                      \
  /* The inner workings of lists and trees in the heap. */ \
  PASSES(_ZNSt8__detail15_List_node_base7_M_hookEPS0_) \
  PASSES(_ZNSt8__detail15_List_node_base9_M_unhookEv) \
  PASSES(_ZNSt8__detail15_List_node_base11_M_transferEPS0_S1_) \
  PASSES(_ZSt18_Rb_tree_incrementPSt18_Rb_tree_node_base) \
  PASSES(_ZSt18_Rb_tree_incrementPKSt18_Rb_tree_node_base) \
  PASSES(_ZSt18_Rb_tree_decrementPSt18_Rb_tree_node_base) \
  PASSES(_ZSt18_Rb_tree_decrementPKSt18_Rb_tree_node_base) \
  PASSES(_ZSt29_Rb_tree_insert_and_rebalancebPSt18_Rb_tree_node_baseS0_RS_) \
  PASSES(_ZSt28_Rb_tree_rebalance_for_erasePSt18_Rb_tree_node_baseRS_)
/* clang-format on */
