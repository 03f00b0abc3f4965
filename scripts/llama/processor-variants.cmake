# Which of ggml's processor backends are built. ggml builds fourteen for x86-64; this product needs x86-64-v3 anyway
# (see .cargo/config.toml), so those below it would never be chosen, and each costs more than a CPU-minute to compile.
#
#   haswell     AVX2: every processor that we run on
#   alderlake   AVX2 with VNNI: desktop and laptop processors
#   icelake     AVX-512 with VBMI and VNNI: servers
#   zen4        the same with BF16
#
# `sapphirerapids` is left out on purpose: its AMX path was seen to crash in a virtual machine; such a processor takes
# `zen4`. The variant is chosen when the program starts, by what the processor can do. CMake reads this file right after
# `project(ggml)`, through CMAKE_PROJECT_ggml_INCLUDE, which .cargo/config.toml sets for llama-cpp-sys-2's build script.
set(ANWEN_UNUSED_VARIANTS
    x64 sse42 sandybridge ivybridge piledriver skylakex cannonlake cascadelake cooperlake sapphirerapids)

function(anwen_is_unused name result)
    string(REGEX REPLACE "^ggml-cpu-" "" variant "${name}")
    if (NOT variant STREQUAL name AND variant IN_LIST ANWEN_UNUSED_VARIANTS)
        set(${result} TRUE PARENT_SCOPE)
    else()
        set(${result} FALSE PARENT_SCOPE)
    endif()
endfunction()

# A CMake command that is defined again keeps its first form under its name with an underscore in front.
macro(add_library name)
    anwen_is_unused("${name}" unused)
    if (unused)
        _add_library(${name} ${ARGN} EXCLUDE_FROM_ALL)
    else()
        _add_library(${name} ${ARGN})
    endif()
endmacro()

macro(add_dependencies target)
    anwen_is_unused("${ARGV1}" unused)
    if (NOT unused)
        _add_dependencies(${target} ${ARGN})
    endif()
endmacro()

macro(install kind)
    anwen_is_unused("${ARGV1}" unused)
    if (NOT unused)
        _install(${kind} ${ARGN})
    endif()
endmacro()
