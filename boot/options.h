/* SPDX-License-Identifier: MIT
 *
 * The kernel's own options on the domain's command line.
 */
#pragma once
#include "events/events.h"
#include "lib/cmdline.h"

extern const struct cmdline_option boot_options[];
/* boot/network.c; NULL without the network. */
extern const struct cmdline_option network_options[] __attribute__((weak));

enum events_abi options_events_abi(void);
unsigned int options_main_stack_order(void);
