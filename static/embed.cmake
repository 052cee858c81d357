# SPDX-License-Identifier: MIT
# Files that go into the program twice, as they are and compressed, so that serving one is a copy of memory.
find_program(LIVELOGD_GZIP gzip REQUIRED)
set(livelogd_embed_folder ${CMAKE_CURRENT_LIST_DIR})

# livelogd_embed(TARGET livelogd_static HEADER static/assets.hpp FUNCTION livelogd::assets::all FILES a.html b.css)
#
# Makes the library TARGET, which defines FUNCTION, declared in HEADER as `std::span<const assets::asset> FUNCTION()`
# (see static/assets.hpp): the files in the order given, under their names without folders.
function(livelogd_embed)
    cmake_parse_arguments(EMBED "" "TARGET;HEADER;FUNCTION" "FILES" ${ARGN})
    set(type_html "text/html; charset=utf-8")
    set(type_css "text/css; charset=utf-8")
    set(type_js "text/javascript; charset=utf-8")
    set(type_json "application/json")
    set(type_txt "text/plain; charset=utf-8")

    set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)
    file(MAKE_DIRECTORY ${generated})
    set(embedded "")
    set(ASSET_BYTES "")
    set(ASSET_DECLARATIONS "")
    set(ASSET_ENTRIES "")
    set(index 0)
    foreach(file IN LISTS EMBED_FILES)
        get_filename_component(plain ${file} ABSOLUTE)
        get_filename_component(name ${file} NAME)
        set(gzip ${generated}/${name}.gz)
        # -n: neither name nor time in the result, so that the same sources make the same program.
        add_custom_command(
            OUTPUT ${gzip}
            COMMAND sh -c "\"$1\" -9nc \"$2\" > \"$3\"" sh ${LIVELOGD_GZIP} ${plain} ${gzip}
            DEPENDS ${plain}
            COMMENT "Compressing ${name}"
            VERBATIM)
        list(APPEND embedded ${plain} ${gzip})

        string(REGEX REPLACE "^.*\\." "" suffix ${name})
        set(symbol ${EMBED_TARGET}_${index})
        foreach(form plain gzip)
            string(APPEND ASSET_BYTES "ASSET(${symbol}_${form}, \"${${form}}\")\n")
            string(APPEND ASSET_DECLARATIONS
                "extern const char ${symbol}_${form}[];\n"
                "extern const std::uint64_t ${symbol}_${form}_size;\n")
        endforeach()
        string(APPEND ASSET_ENTRIES
            "        {\"${name}\", \"${type_${suffix}}\",\n"
            "         {${symbol}_plain, ${symbol}_plain_size},\n"
            "         {${symbol}_gzip, ${symbol}_gzip_size}},\n")
        math(EXPR index "${index} + 1")
    endforeach()
    set(ASSET_COUNT ${index})

    configure_file(${livelogd_embed_folder}/assets.cpp.in ${generated}/assets.cpp @ONLY)
    configure_file(${livelogd_embed_folder}/bytes.S.in ${generated}/bytes.S @ONLY)
    set_source_files_properties(${generated}/bytes.S PROPERTIES OBJECT_DEPENDS "${embedded}")

    # Apart from the library because its warning options are for C++ only.
    add_library(${EMBED_TARGET}_bytes OBJECT ${generated}/bytes.S)

    add_library(${EMBED_TARGET} STATIC ${generated}/assets.cpp $<TARGET_OBJECTS:${EMBED_TARGET}_bytes>)
    target_link_libraries(${EMBED_TARGET} PUBLIC livelogd_options)
endfunction()
