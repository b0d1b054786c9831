# Tables that CMake writes. A static registrar in a static library is dropped by the linker; a written table is not, and reads well.
#
#   atelier_registry(ROOM models DIR models TYPE ArchDef PREFIX arch NAMESPACE atelier::models HEADER atelier/models/arch.h FUNCTION architectures)
#
# For each DIR/<name>.cc that defines `extern const TYPE PREFIX_<name>;` the table function `std::span<const TYPE* const> FUNCTION()`
# lists it, sorted by file name. A file of DIR without that definition (a helper) is skipped. Call before atelier_room(ROOM).
function(atelier_registry)
  cmake_parse_arguments(ARG "" "ROOM;DIR;TYPE;PREFIX;NAMESPACE;HEADER;FUNCTION" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/atelier/${ARG_DIR}/*.cc)
  list(FILTER files EXCLUDE REGEX "_test\\.cc$")
  list(SORT files)
  set(declarations "")
  set(entries "")
  foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    file(STRINGS ${file} found REGEX "const ${ARG_TYPE} ${ARG_PREFIX}_${stem}[ ={]" LIMIT_COUNT 1)
    set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    if(found)
      string(APPEND declarations "extern const ${ARG_TYPE} ${ARG_PREFIX}_${stem};\n")
      string(APPEND entries "    &${ARG_PREFIX}_${stem},\n")
    endif()
  endforeach()
  set(output ${CMAKE_BINARY_DIR}/generated/${ARG_ROOM}_${ARG_FUNCTION}.cc)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"// Written by cmake/registry.cmake from the files of atelier/@ARG_DIR@/.
#include <span>

#include \"@ARG_HEADER@\"

namespace @ARG_NAMESPACE@ {

@declarations@
std::span<const @ARG_TYPE@* const> @ARG_FUNCTION@() {
  static const @ARG_TYPE@* const table[] = {
@entries@  };
  return table;
}

}  // namespace @ARG_NAMESPACE@
")
  set_property(GLOBAL APPEND PROPERTY atelier_generated_${ARG_ROOM} ${output})
endfunction()

# A file of the repository inside the program: `std::string_view FUNCTION()` gives its text. Call before atelier_room(ROOM).
function(atelier_embed)
  cmake_parse_arguments(ARG "" "ROOM;FILE;NAMESPACE;FUNCTION" "" ${ARGN})
  set(input ${CMAKE_SOURCE_DIR}/${ARG_FILE})
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${input})
  file(READ ${input} text)
  set(output ${CMAKE_BINARY_DIR}/generated/${ARG_ROOM}_${ARG_FUNCTION}.cc)
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT
"// Written by cmake/registry.cmake from @ARG_FILE@.
#include <string_view>

namespace @ARG_NAMESPACE@ {

std::string_view @ARG_FUNCTION@();
std::string_view @ARG_FUNCTION@() { return R\"embedded(@text@)embedded\"; }

}  // namespace @ARG_NAMESPACE@
")
  set_property(GLOBAL APPEND PROPERTY atelier_generated_${ARG_ROOM} ${output})
endfunction()
