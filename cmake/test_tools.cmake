# Programs that scripts of tests/ and scripts/ drive; built on request: `ninja -C build/release tokenizer_tool`.
add_executable(tokenizer_tool EXCLUDE_FROM_ALL tests/tools/tokenizer_tool.cc)
target_link_libraries(tokenizer_tool PRIVATE atelier_lib atelier_warnings)

# What `make soak` runs beside the fuzzers.
add_executable(engine_soak EXCLUDE_FROM_ALL tests/soak/engine_soak.cc)
target_link_libraries(engine_soak PRIVATE atelier_lib atelier_warnings)
