# Benchmarks, one file per question in bench/; built on request: `ninja -C build/release kernels_bench`.
function(atelier_bench name)
  cmake_parse_arguments(ARG "" "" "ROOMS" ${ARGN})
  add_executable(${name} EXCLUDE_FROM_ALL bench/${name}.cc)
  target_link_libraries(${name} PRIVATE atelier_warnings atelier_options)
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  foreach(room ${ARG_ROOMS})
    get_property(libraries GLOBAL PROPERTY atelier_libraries_${room})
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:atelier_${room}>)
    target_link_libraries(${name} PRIVATE ${libraries})
  endforeach()
endfunction()

atelier_bench(kernels_bench ROOMS base parallel quant kernels)
