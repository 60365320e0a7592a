/* SPDX-License-Identifier: MIT
 *
 * The world that the fuzzed network frontend lives in: what it lends, binds and starts
 * (netfront_kernel.c), and what xenstored says (netfront_store.c).
 */
#pragma once
#include "netfront/internal.h"

#define REFS  1200
#define PORTS 64

/* The interface that is fuzzed; `gone`: its nodes in xenstore are. */
extern struct netfront nf;
extern bool gone;

/* What grant references allow. */
extern struct lent {
    bool used, readonly, mapped, parked;
    const void *page; /* NULL: allows nothing */
} refs[REFS];
extern unsigned long pages; /* not freed */
extern bool ports[PORTS];
extern unsigned int threads;

/* Looks now and then: it takes long. */
void must_not_be_shown(const void *page);
/* The backend lets go of everything. */
void unmap_all(void);

/* Watches of the interface: of its backend's state, and the other one. */
extern struct xenstore_watch *state_watch, *carrier;
extern const char *answer; /* to our state, as netback gives it; NULL: given */
/* The backend's; the interface is told. */
void set_state(const char *text);
