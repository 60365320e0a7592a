/* SPDX-License-Identifier: MIT
 *
 * Xenolith for programs: what a C program in its own Xen domain can ask beyond the C library.
 *
 * This header is the small stable part.  It brings along the kernel's own headers for threads,
 * locks, time, xenstore, event channels, grants and the log; their contracts are in those files and
 * a program may use all of what they declare, except what says "boot".
 *
 * A call that can fail returns 0 or a negative Xen error number (XEN_ENOENT and so on,
 * <xen/errno.h>); error_name() in lib/log.h gives its name.
 */
#pragma once
#include "control/control.h" /* enum control_request */
#include "events/events.h"   /* event_bind(), event_alloc_unbound(), event_notify(), ... */
#include "grant/grant.h"     /* grant_access(), grant_end(), grant_map(), grant_copy() */
#include "kernel/mutex.h"    /* mutex_*, semaphore_*, condition_* */
#include "kernel/thread.h"   /* thread_create(), thread_join(), ... */
#include "kernel/time.h"     /* time_now_ns(), thread_sleep_until(), timer_arm() */
#include "lib/log.h"         /* log_info() and so on; error_name() */
#include "xenbus/xenstore.h" /* xenstore_read(), _write(), _directory(), _watch(), transactions */

/* -- The domain ------------------------------------------------------------------------------ */

struct xenolith_info {
    domid_t domid;          /* DOMID_INVALID when xenstore did not say */
    char name[64];          /* as in `xl list`; "" when xenstore did not say */
    char uuid[40];          /* "" likewise */
    const char *guest_type; /* "pv", "pvh" or "hvm" */
    char xen_version[32];   /* "4.17.3" */
    unsigned int vcpus;     /* that the domain has */
    unsigned int vcpus_up;  /* of these, running */
    uint64_t memory;        /* bytes the domain has */
    uint64_t memory_free;   /* bytes neither the kernel nor malloc has taken */
};

/* Fill *info. Asks xenstore (bounded). 0 or the first error; what could be had is filled in all
 * the same. Thread context. */
int xenolith_get_info(struct xenolith_info *info);

/* -- What it does, in numbers that only grow: two looks and the time in between give rates ------
 */

struct xenolith_stats {
    uint64_t idle_ns;     /* of all vCPUs together */
    uint64_t switches;    /* from thread to thread */
    uint64_t upcalls;     /* Xen called */
    uint64_t events;      /* handlers of event channels ran */
    unsigned int threads; /* that there are now */
};

/* Any context. */
void xenolith_get_stats(struct xenolith_stats *stats);
/* How long this vCPU has been idle, 0 for one that never ran. A domain's vCPUs are numbered from
 * 0. Any context. */
uint64_t xenolith_vcpu_idle_ns(unsigned int vcpu);

/* What came and went by the network's interfaces, without the loopback; Ethernet headers count. */
struct xenolith_network {
    uint64_t packets_in, bytes_in, packets_out, bytes_out;
    uint64_t dropped; /* for want of memory, or refused by the driver */
};

/* Brings TCP/IP into the program, as sockets do. Thread context. */
void xenolith_get_network(struct xenolith_network *network);

/* -- The end of the domain ------------------------------------------------------------------- */

/* A program that does nothing ends like exit(0) when the toolstack says shutdown or reboot. One
 * that uses either function below has to end by itself, soon, by returning from main or by exit().
 * After a reboot request exit(0) means reboot. */

/* The latest request, CONTROL_NONE before the first. Any thread. */
enum control_request xenolith_shutdown_requested(void);

/* Call fn(request, arg), in a thread of the kernel's, for each request from now on. NULL: the
 * default again. */
typedef void xenolith_shutdown_fn(enum control_request request, void *arg);
void xenolith_on_shutdown(xenolith_shutdown_fn *fn, void *arg);

/* -- Threads --------------------------------------------------------------------------------- */

/* thread_create() with the usual stack and priority, for threads that use the C library: what it
 * keeps for a thread (for example behind printf("%g")) is freed when fn returns. A thread made
 * with thread_create() itself may call the C library too, but never gives that memory back.
 * End such a thread by returning from fn, not by thread_exit(). 0 or -XEN_ENOMEM. */
int xenolith_thread(struct thread **thread, const char *name, void (*fn)(void *arg), void *arg);
