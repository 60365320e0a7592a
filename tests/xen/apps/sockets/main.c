/* SPDX-License-Identifier: MIT
 *
 * Tests of BSD sockets from inside the domain, over the loopback: apps/selftest's main() with other
 * tests.
 */
#include "apps/selftest/main.c"
