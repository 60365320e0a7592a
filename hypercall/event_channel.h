/* SPDX-License-Identifier: MIT
 *
 * Event channel hypercalls, typed.  Each returns 0 or a negative Xen errno; any context.
 * Follows Xen public/event_channel.h.
 */
#pragma once
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include "hypercall/hypercall.h"

#define hypercall_evtchn(cmd, arg) ((int)hypercall2(__HYPERVISOR_event_channel_op, cmd, arg))

/* Open a port that `remote` may bind to. -XEN_ENOSPC: no port is free. */
static inline int hypercall_evtchn_alloc_unbound(domid_t remote, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = remote };
    int rc = hypercall_evtchn(EVTCHNOP_alloc_unbound, &op);

    if (rc == 0)
        *port = op.port;
    return rc;
}

/* Connect to the port that `remote` offers. */
static inline int hypercall_evtchn_bind_interdomain(domid_t remote, evtchn_port_t remote_port,
                                                    evtchn_port_t *port)
{
    struct evtchn_bind_interdomain op = { .remote_dom = remote, .remote_port = remote_port };
    int rc = hypercall_evtchn(EVTCHNOP_bind_interdomain, &op);

    if (rc == 0)
        *port = op.local_port;
    return rc;
}

/* -XEN_EEXIST: that VIRQ is bound on that vCPU already. Global VIRQs want vcpu 0. */
static inline int hypercall_evtchn_bind_virq(uint32_t virq, uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
    int rc = hypercall_evtchn(EVTCHNOP_bind_virq, &op);

    if (rc == 0)
        *port = op.port;
    return rc;
}

/* A port any vCPU can send on and that always interrupts `vcpu`. */
static inline int hypercall_evtchn_bind_ipi(uint32_t vcpu, evtchn_port_t *port)
{
    struct evtchn_bind_ipi op = { .vcpu = vcpu };
    int rc = hypercall_evtchn(EVTCHNOP_bind_ipi, &op);

    if (rc == 0)
        *port = op.port;
    return rc;
}

static inline int hypercall_evtchn_close(evtchn_port_t port)
{
    struct evtchn_close op = { .port = port };

    return hypercall_evtchn(EVTCHNOP_close, &op);
}

/* Silently succeeds on a port that nobody has bound; -XEN_EINVAL on a closed one. */
static inline int hypercall_evtchn_send(evtchn_port_t port)
{
    struct evtchn_send op = { .port = port };

    return hypercall_evtchn(EVTCHNOP_send, &op);
}

/* `status->port` of this domain in, the rest out. */
static inline int hypercall_evtchn_status(struct evtchn_status *status)
{
    status->dom = DOMID_SELF;
    return hypercall_evtchn(EVTCHNOP_status, status);
}

/* Interrupt `vcpu` from now on. -XEN_EINVAL for IPIs and per-vCPU VIRQs. */
static inline int hypercall_evtchn_bind_vcpu(evtchn_port_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = { .port = port, .vcpu = vcpu };

    return hypercall_evtchn(EVTCHNOP_bind_vcpu, &op);
}

/* Clear the mask; raise the event if it is pending. */
static inline int hypercall_evtchn_unmask(evtchn_port_t port)
{
    struct evtchn_unmask op = { .port = port };

    return hypercall_evtchn(EVTCHNOP_unmask, &op);
}

/* FIFO ABI: give `vcpu` its control block. The first call switches the whole domain over. */
static inline int hypercall_evtchn_init_control(uint64_t control_gfn, uint32_t offset,
                                                uint32_t vcpu)
{
    struct evtchn_init_control op = { .control_gfn = control_gfn, .offset = offset, .vcpu = vcpu };

    return hypercall_evtchn(EVTCHNOP_init_control, &op);
}

/* FIFO ABI: one more page of event words. -XEN_ENOSPC: the domain may have no more ports. */
static inline int hypercall_evtchn_expand_array(uint64_t array_gfn)
{
    struct evtchn_expand_array op = { .array_gfn = array_gfn };

    return hypercall_evtchn(EVTCHNOP_expand_array, &op);
}

/* FIFO ABI: 0 is served first, 15 last. */
static inline int hypercall_evtchn_set_priority(evtchn_port_t port, uint32_t priority)
{
    struct evtchn_set_priority op = { .port = port, .priority = priority };

    return hypercall_evtchn(EVTCHNOP_set_priority, &op);
}
