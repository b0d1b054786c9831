# Programs that scripts of tests/ and scripts/ drive; built on request: `ninja -C build/release tokenizer_tool`.
add_executable(tokenizer_tool EXCLUDE_FROM_ALL tests/tools/tokenizer_tool.cc)
target_link_libraries(tokenizer_tool PRIVATE atelier_lib atelier_warnings)

# What `make soak` runs beside the fuzzers.
foreach(name engine_soak serve_soak)
  add_executable(${name} EXCLUDE_FROM_ALL tests/soak/${name}.cc)
  target_link_libraries(${name} PRIVATE atelier_lib atelier_warnings)
endforeach()

# The binary as a process.
if(ATELIER_BUILD_TESTS)
  foreach(name cli serve)
    add_test(NAME e2e_${name} COMMAND bash ${CMAKE_SOURCE_DIR}/tests/e2e/${name}.sh $<TARGET_FILE:atelier>)
  endforeach()
endif()
