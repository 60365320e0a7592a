/* SPDX-License-Identifier: MIT
 *
 * Private to events/: what events.c keeps of a port and of a vCPU, and what the two ABIs offer it.
 * Where pending, mask and queues lie is the ABI's; handlers, owners and storms are events.c's.
 */
#pragma once
#include "arch/page.h"
#include "events/events.h"
#include "lib/spinlock.h"

/* 32 bytes: a page holds 128. All zeroes: no handler. */
struct event_port {
    event_handler *fn; /* NULL: nobody; changed under events_lock, read by upcalls without */
    void *arg;
    uint64_t window_ns; /* when the running storm window began; owner's upcall only */
    uint32_t count;     /* edges in it; owner's upcall only */
    uint8_t running;    /* some vCPU is in the handler, or about to be */
    uint8_t vcpu;       /* whose upcalls serve it */
    uint8_t masks;      /* why it is masked, MASKED_BY_*; held: events_lock */
    bool stranger;      /* its other end is not us or Xen: may be throttled */
} __attribute__((aligned(32)));
_Static_assert(sizeof(struct event_port) == 32, "a page of 128 ports");
#define EVENT_PORTS_PER_PAGE (PAGE_SIZE / sizeof(struct event_port))

enum { MASKED_BY_DRIVER = 1, MASKED_BY_STORM = 2, MASKED_BY_MOVE = 4 };

/* Only ever touched by its own vCPU with upcalls masked; statistics are read by anybody. */
struct events_cpu {
    unsigned int vcpu;
    uint64_t upcalls, delivered, spurious;
    uint64_t checked;  /* the upcall in which a storm was last looked for */
    event_handler *fn; /* of the claimed port */

    evtchn_port_t next_port; /* two-level: where the next scan begins */

    struct evtchn_fifo_control_block *control; /* FIFO, shared with Xen */
    uint32_t ready;                            /* FIFO: queues that may hold events */
    evtchn_port_t
        head[EVTCHN_FIFO_MAX_QUEUES]; /* FIFO: next event of a queue, 0: ask the control block */
};

struct events_ops {
    unsigned int nr_ports; /* ports [1, nr_ports) can exist */
    /* Prepare a vCPU, memory for a port: thread context; 0 or -errno. */
    int (*cpu_init)(struct events_cpu *cpu);
    int (*reserve)(evtchn_port_t port);
    /* held: events_lock */
    void (*mask)(evtchn_port_t port);
    void (*unmask)(evtchn_port_t port);
    bool (*pending)(evtchn_port_t port);
    /* Does a masked port still lie in some vCPU's queue? */
    bool (*queued)(evtchn_port_t port);
    /* Serve every unmasked pending port of this vCPU once. */
    void (*scan)(struct events_cpu *cpu, struct vcpu_info *info);
};

extern const struct events_ops *events_ops; /* the ABI in use; set once */
extern spinlock_t events_lock; /* binding, masking, growing; not taken on the way to a handler */

/* NULL: nobody ever bound a port near it. `port` < EVTCHN_FIFO_NR_CHANNELS. */
struct event_port *event_port_at(evtchn_port_t port);
/* Memory for what we and Xen keep of `port`. 0 or -errno. held: events_lock */
int event_port_reserve(evtchn_port_t port);
/* Unmask it unless there is a reason not to. held: events_lock */
void event_unmask_if_free(struct event_port *p, evtchn_port_t port);
/* NULL: `vcpu` is not prepared for events. */
struct events_cpu *events_cpu_of(unsigned int vcpu);

/* Switches the domain over for vCPU 0, `cpu`, or refuses. */
int fifo_init(struct events_cpu *cpu);
void two_level_init(struct shared_info *shared);
extern const struct events_ops fifo_ops, two_level_ops;

/* From a scan, for a pending unmasked port. claim: the port with a handler to run, ours alone until
 * event_run() is done; NULL: nobody's (masked and counted) or another vCPU's. The ABI clears the
 * pending bit in between, so that an edge during the handler raises the port again. */
struct event_port *event_claim(struct events_cpu *cpu, evtchn_port_t port);
void event_run(struct events_cpu *cpu, struct event_port *p, evtchn_port_t port);
