// SPDX-License-Identifier: MIT
// Nothing: CMake precompiles a header only for a target of which at least one source is compiled with it.
