# A room is a folder of atelier/: one object library atelier_<room>, one test program <room>_test from its *_test.cc.
# Object libraries link only the rooms named in DEPENDS (and what those name), so that a missing layer shows at link time.
#
#   atelier_room(quant DEPENDS base LIBRARIES fmt::fmt)

# Per-ISA files are plain files, compiled once with the flags that their suffix names (docs/adr/0004).
set(ATELIER_ISA_FLAGS_avx2 -mavx2 -mfma -mf16c)
set(ATELIER_ISA_FLAGS_avxvnni -mavx2 -mfma -mf16c -mavxvnni)
# GCC 12's own AVX-512 header warns of its undefined vectors (GCC bug 105593).
set(ATELIER_ISA_FLAGS_avx512 -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq -Wno-uninitialized -Wno-maybe-uninitialized)
set(ATELIER_ISA_FLAGS_avx512vnni ${ATELIER_ISA_FLAGS_avx512} -mavx512vnni)
set(ATELIER_ISA_FLAGS_avx512bf16 ${ATELIER_ISA_FLAGS_avx512vnni} -mavx512bf16)
set(ATELIER_ISA_FLAGS_avx512amx ${ATELIER_ISA_FLAGS_avx512bf16} -mamx-tile -mamx-int8 -mamx-bf16)

# The tests' emulation of wide registers passes them in memory, which GCC would note. At -O1 it takes a minute to compile, at -Og seconds.
set_source_files_properties(${CMAKE_SOURCE_DIR}/atelier/kernels/emulated_isas_test.cc PROPERTIES COMPILE_OPTIONS "-Wno-psabi;-Og")

# What most files of a room include, precompiled once for all rooms where ATELIER_PRECOMPILE says so.
if(ATELIER_PRECOMPILE)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/room_header.cc CONTENT "")
  add_library(atelier_room_header OBJECT ${CMAKE_BINARY_DIR}/generated/room_header.cc)
  target_link_libraries(atelier_room_header PRIVATE atelier_warnings atelier_options)
  target_precompile_headers(atelier_room_header PRIVATE <algorithm> <cmath> <cstdint> <cstring> <functional> <map> <memory> <optional> <span>
                            <string> <string_view> <unordered_map> <utility> <variant> <vector>)
endif()

# GoogleTest's header is half of what a test costs to compile: it is precompiled once, and tests are optimised a little only.
function(atelier_test_options target)
  target_link_libraries(${target} PRIVATE atelier_warnings atelier_options GTest::gtest)
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
endfunction()
if(ATELIER_BUILD_TESTS)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/generated/test_header.cc CONTENT "int main() {}\n")
  add_executable(atelier_test_header ${CMAKE_BINARY_DIR}/generated/test_header.cc)  # a program, since -fPIE has to match
  atelier_test_options(atelier_test_header)
  target_precompile_headers(atelier_test_header PRIVATE <gtest/gtest.h>)
endif()

function(atelier_room name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  set(dir ${CMAKE_SOURCE_DIR}/atelier/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${dir}/*.h)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$|/main\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  foreach(source ${sources})
    if(source MATCHES "_(avx2|avxvnni|avx512|avx512vnni|avx512bf16|avx512amx)\\.cc$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "${ATELIER_ISA_FLAGS_${CMAKE_MATCH_1}}" SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()

  # Rooms this one may use: DEPENDS and, through them, theirs.
  set(closure ${ARG_DEPENDS})
  foreach(room ${ARG_DEPENDS})
    get_property(below GLOBAL PROPERTY atelier_closure_${room})
    list(APPEND closure ${below})
  endforeach()
  list(REMOVE_DUPLICATES closure)
  set_property(GLOBAL PROPERTY atelier_closure_${name} "${closure}")
  set_property(GLOBAL APPEND PROPERTY atelier_rooms ${name})

  get_property(generated GLOBAL PROPERTY atelier_generated_${name})
  if(NOT sources AND NOT generated)
    add_library(atelier_${name} INTERFACE)
    set(scope INTERFACE)
  else()
    add_library(atelier_${name} OBJECT ${sources} ${generated})
    set(scope PUBLIC)
    target_link_libraries(atelier_${name} PRIVATE atelier_warnings)
    if(ATELIER_PRECOMPILE)
      target_precompile_headers(atelier_${name} REUSE_FROM atelier_room_header)
    endif()
  endif()
  target_include_directories(atelier_${name} ${scope} $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}>)
  target_link_libraries(atelier_${name} ${scope} ${ARG_LIBRARIES} atelier_options)
  set_property(GLOBAL PROPERTY atelier_libraries_${name} "${ARG_LIBRARIES}")
  set_property(GLOBAL APPEND PROPERTY atelier_headers ${headers})

  if(tests AND ATELIER_BUILD_TESTS)
    add_executable(${name}_test ${tests})
    atelier_test_options(${name}_test)
    target_precompile_headers(${name}_test REUSE_FROM atelier_test_header)
    target_link_libraries(${name}_test PRIVATE GTest::gtest_main ${ARG_LIBRARIES} ${ARG_TEST_LIBRARIES})
    foreach(room ${name} ${closure})
      get_target_property(type atelier_${room} TYPE)
      if(NOT type STREQUAL "INTERFACE_LIBRARY")
        target_sources(${name}_test PRIVATE $<TARGET_OBJECTS:atelier_${room}>)
      endif()
      get_property(libraries GLOBAL PROPERTY atelier_libraries_${room})
      target_link_libraries(${name}_test PRIVATE ${libraries})
    endforeach()
    target_include_directories(${name}_test PRIVATE ${CMAKE_SOURCE_DIR})
    target_compile_definitions(${name}_test PRIVATE ATELIER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()
