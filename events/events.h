/* SPDX-License-Identifier: MIT
 *
 * Event channels: ports, handlers, masks and the upcall, with Xen's two ABIs (two-level and FIFO)
 * behind one face.  Follows Xen public/event_channel.h and docs/designs/event-channels (FIFO).
 *
 * A handler runs in the upcall of the vCPU its port is bound to, with upcalls masked.  It notes and
 * wakes; it never allocates, waits or talks to xenstore.  Its pending bit was cleared before it was
 * called, so an edge during the handler raises it again; the same handler never runs twice at once.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include "lib/percpu.h"

enum events_abi { EVENTS_AUTO, EVENTS_2L, EVENTS_FIFO };

typedef void event_handler(evtchn_port_t port, void *arg);

/* Boot, once, on vCPU 0 with upcalls masked: every port masked, ABI chosen (AUTO: FIFO where Xen
 * has it). `shared` tells where shared_info is; it is asked for two-level. A forced FIFO that Xen
 * refuses falls back with a warning. */
int events_init(struct shared_info *(*shared)(void), enum events_abi abi);
/* Prepare `cpu` (not running yet) to receive events. vCPU 0 is prepared by events_init(). 0 or
 * -errno. */
int events_cpu_init(struct percpu *cpu);
enum events_abi events_get_abi(void);

/* From the upcall entry, upcalls masked: serve what is pending on this vCPU. */
void events_upcall(void);

/* Give a port that already exists (the toolstack's console or xenstore port) a handler and unmask
 * it. 0, -XEN_EINVAL for a port out of range, -XEN_EEXIST if it has a handler, -XEN_ENOMEM.
 * Thread context (all binds). */
int event_bind(evtchn_port_t port, event_handler *handler, void *arg);
/* Make a port and bind it. *port is valid before the first upcall can come. 0 or -errno. */
int event_bind_virq(unsigned int virq, unsigned int vcpu, event_handler *handler, void *arg,
                    evtchn_port_t *port);
int event_bind_ipi(unsigned int vcpu, event_handler *handler, void *arg, evtchn_port_t *port);
int event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler *handler,
                           void *arg, evtchn_port_t *port);
int event_alloc_unbound(domid_t remote, event_handler *handler, void *arg, evtchn_port_t *port);

/* Close a port. When this returns its handler is not running and will not run again. Thread
 * context, not from the port's own handler. */
void event_unbind(evtchn_port_t port);
/* Take the handler off but leave the port open (a port of the toolstack's). Same guarantee. */
void event_release(evtchn_port_t port);

/* Masked edges are kept and delivered on unmask. Any context. */
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
/* Is an edge waiting? Any context. */
bool event_pending(evtchn_port_t port);
/* Signal the other end. Any context. 0 or -errno. */
int event_notify(evtchn_port_t port);
/* Deliver on `vcpu`, which is online, from now on, losing no edge. 0 or -errno (IPIs and per-vCPU
 * VIRQs can't move). */
int event_move(evtchn_port_t port, unsigned int vcpu);
/* `vcpu` goes offline, or did: vCPU 0 gets what of its ports can move. Thread context. */
void events_leave(unsigned int vcpu);

/* Storms: a port whose other end is a stranger and that fires faster than threads can live with is
 * masked for a moment. `arm` is called in an upcall and must have events_unthrottle() called
 * `delay_ns` later, on any vCPU, in any context (a timer). Until it is set, nothing is throttled.
 * Boot. */
void events_set_throttle(void (*arm)(uint64_t delay_ns));
void events_unthrottle(void);

struct events_stats {
    uint64_t upcalls;   /* of all vCPUs */
    uint64_t delivered; /* handlers called */
    uint64_t spurious;  /* events for ports nobody bound: masked and counted */
};
void events_get_stats(struct events_stats *stats);
