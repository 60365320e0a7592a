/* SPDX-License-Identifier: MIT
 *
 * What threads do to ports: bind, unbind, mask, move, send.  A port is masked while nobody has
 * bound it, and as long as there is any reason to.  Follows Xen public/event_channel.h.
 */
#include "arch/clock.h"
#include "events/abi.h"
#include "hypercall/event_channel.h"
#include "lib/log.h"

#define SETTLE_NS (10 * NS_PER_MS) /* for another vCPU to take a dead word off its queue */

static bool in_range(evtchn_port_t port)
{
    return port > 0 && port < events_ops->nr_ports;
}

static int install(evtchn_port_t port, unsigned int vcpu, bool stranger, event_handler *handler,
                   void *arg)
{
    struct event_port *p;
    bool enabled;
    int rc;

    if (!in_range(port) || !events_cpu_of(vcpu))
        return -XEN_EINVAL;
    enabled = spin_lock_save(&events_lock);
    rc = event_port_reserve(port);
    p = rc ? NULL : event_port_at(port);
    if (p && p->fn) {
        rc = -XEN_EEXIST;
    } else if (p) {
        events_ops->mask(port); /* it is, unless Xen or an earlier kernel left it open */
        p->arg = arg;
        p->vcpu = vcpu;
        p->stranger = stranger;
        p->masks = 0;
        p->count = 0;
        store_release(&p->fn, handler); /* pairs with the load in event_claim() */
        events_ops->unmask(port);
    }
    spin_unlock_restore(&events_lock, enabled);
    return rc;
}

/* A port that was made for us a moment ago; closed again if it can't be used. */
static int install_new(evtchn_port_t port, unsigned int vcpu, bool stranger, event_handler *handler,
                       void *arg)
{
    int rc = install(port, vcpu, stranger, handler, arg);

    if (rc) {
        log_error("events: can't use port %u: %s", port, error_name(rc));
        if (rc != -XEN_EEXIST) /* then it is somebody's, whatever Xen says */
            hypercall_evtchn_close(port);
    }
    return rc;
}

int event_bind(evtchn_port_t port, event_handler *handler, void *arg)
{
    return install(port, 0, true, handler, arg);
}

int event_bind_virq(unsigned int virq, unsigned int vcpu, event_handler *handler, void *arg,
                    evtchn_port_t *port)
{
    int rc = events_cpu_of(vcpu) ? hypercall_evtchn_bind_virq(virq, vcpu, port) : -XEN_ENOENT;

    return rc ? rc : install_new(*port, vcpu, false, handler, arg);
}

int event_bind_ipi(unsigned int vcpu, event_handler *handler, void *arg, evtchn_port_t *port)
{
    int rc = events_cpu_of(vcpu) ? hypercall_evtchn_bind_ipi(vcpu, port) : -XEN_ENOENT;

    return rc ? rc : install_new(*port, vcpu, false, handler, arg);
}

int event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler *handler,
                           void *arg, evtchn_port_t *port)
{
    int rc = hypercall_evtchn_bind_interdomain(remote, remote_port, port);

    return rc ? rc : install_new(*port, 0, true, handler, arg);
}

int event_alloc_unbound(domid_t remote, event_handler *handler, void *arg, evtchn_port_t *port)
{
    int rc = hypercall_evtchn_alloc_unbound(remote, port);

    return rc ? rc : install_new(*port, 0, true, handler, arg);
}

/* --- unbinding, masks, moving --------------------------------------------------------------------
 */

/* Wait until a masked port has left every queue. Only its vCPU can take it off, with an upcall: if
 * that one does not get there in time (down, or it is us with upcalls masked) go on; Xen does not
 * hand out a queued port, and the word is dropped as masked whenever it is met. */
static void settle(evtchn_port_t port)
{
    uint64_t deadline_ns;

    if (!events_ops->queued(port))
        return;
    deadline_ns = arch_clock_ns() + SETTLE_NS;
    while (events_ops->queued(port) && arch_clock_ns() < deadline_ns)
        hypercall_sched_yield();
}

/* Take the handler off: masked, not running, not run again. False: there was none. */
static bool quiesce(evtchn_port_t port)
{
    struct event_port *p = in_range(port) ? event_port_at(port) : NULL;
    bool enabled, bound;

    if (!p)
        return false;
    enabled = spin_lock_save(&events_lock);
    bound = p->fn != NULL;
    if (bound)
        events_ops->mask(port);
    __atomic_store_n(&p->fn, NULL, __ATOMIC_SEQ_CST);
    spin_unlock_restore(&events_lock, enabled);
    /* An upcall raises `running` before it reads fn, we clear fn before we read `running`: one of
     * us sees the other. */
    for (unsigned int turn = 0; __atomic_load_n(&p->running, __ATOMIC_SEQ_CST); turn++) {
        if (turn < SPIN_BEFORE_YIELD)
            cpu_relax();
        else
            hypercall_sched_yield();
    }
    return bound;
}

void event_release(evtchn_port_t port)
{
    quiesce(port);
}

void event_unbind(evtchn_port_t port)
{
    int rc;

    if (!quiesce(port))
        return;
    rc = hypercall_evtchn_close(port);
    if (rc)
        log_warn("events: closing port %u: %s", port, error_name(rc));
    settle(port);
}

/* Add and take away reasons why `port` is masked. */
static void change_masks(evtchn_port_t port, unsigned int add, unsigned int remove)
{
    struct event_port *p = in_range(port) ? event_port_at(port) : NULL;
    bool enabled;

    if (!p)
        return;
    enabled = spin_lock_save(&events_lock);
    p->masks = (p->masks | add) & ~remove;
    if (p->masks)
        events_ops->mask(port);
    else
        event_unmask_if_free(p, port);
    spin_unlock_restore(&events_lock, enabled);
}

void event_mask(evtchn_port_t port)
{
    change_masks(port, MASKED_BY_DRIVER, 0);
}

void event_unmask(evtchn_port_t port)
{
    change_masks(port, 0, MASKED_BY_DRIVER);
}

bool event_pending(evtchn_port_t port)
{
    return in_range(port) && events_ops->pending(port);
}

int event_notify(evtchn_port_t port)
{
    return hypercall_evtchn_send(port);
}

int event_move(evtchn_port_t port, unsigned int vcpu)
{
    struct event_port *p = in_range(port) ? event_port_at(port) : NULL;
    int rc;

    if (!p || !p->fn || !events_cpu_of(vcpu) || !vcpu_set_has(&vcpus_online, vcpu))
        return -XEN_EINVAL;
    change_masks(port, MASKED_BY_MOVE, 0);
    rc = hypercall_evtchn_bind_vcpu(port, vcpu);
    if (rc == 0) {
        store_release(&p->vcpu, vcpu);
        settle(port); /* or the old vCPU would serve what comes from now on */
    }
    change_masks(port, 0, MASKED_BY_MOVE); /* pending: raised again, on the new vCPU */
    return rc;
}

void events_leave(unsigned int vcpu)
{
    for (evtchn_port_t port = 0; port < events_ops->nr_ports; port++) {
        const struct event_port *p = event_port_at(port);
        int rc;

        if (!p) {
            port += EVENT_PORTS_PER_PAGE - 1;
        } else if (load_acquire(&p->fn) && p->vcpu == vcpu && p->stranger) {
            rc = event_move(port, 0);
            if (rc)
                log_error("events: port %u stays on vCPU %u, which goes offline: %s", port, vcpu,
                          error_name(rc));
        }
    }
}
