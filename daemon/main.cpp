// SPDX-License-Identifier: MIT
#include "daemon/app/entry.hpp"

int main(int argc, char* argv[]) {
    return livelogd::app::run_program(argc, argv);
}
