/* SPDX-License-Identifier: MIT
 *
 * What every door's decoder makes of what it was handed, and all that start() needs to know.
 * Private to boot/: each part of the system gets only its own fields.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>
#include <xen/io/xs_wire.h>
#include "lib/types.h"
#include "mm/page.h"

struct boot_range {
    void *start, *end; /* empty: equal */
};

struct boot_info {
    const char *cmdline; /* not trusted: at most CMDLINE_MAX bytes are read */

    /* Memory, as addresses of the direct map. */
    struct boot_range mapped[2];                   /* and unused; the first is not empty */
    struct boot_range unmapped[PAGE_UNMAPPED_MAX]; /* there, not mapped yet */
    void *stack_bottom, *stack_top;                /* what we run on; a guard page lies below */

    /* Where Xen's shared_info is. It need not be mapped before the first call. Any context. */
    struct shared_info *(*shared)(void);
    struct xencons_interface *console;
    evtchn_port_t console_port;
    struct xenstore_domain_interface *xenstore;
    evtchn_port_t xenstore_port;
};

/* A page of the image for a decoder to have Xen's shared_info in. */
extern char shared_info_page[PAGE_SIZE];

/* Start every part in order, then the program. On vCPU 0, upcalls masked, exceptions reported,
 * image protected, this_percpu() and thread register set. */
_Noreturn void start(const struct boot_info *info);
