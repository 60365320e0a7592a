/* SPDX-License-Identifier: MIT
 *
 * What both event channel ABIs have in common: handlers, binding, owners, masks with reasons, storms.
 * Follows Xen public/event_channel.h.  See two_level.c and fifo.c for the bits themselves.
 *
 * The table of handlers grows by pages of 128 ports, as ports appear; boot costs its first page.
 *
 * Storms: an upcall that is raised again as soon as it returns starves threads however little each does.  So a port
 * whose other end is a stranger and that fires STORM_EDGES times within STORM_WINDOW_NS is masked until
 * the window's end.  Its edges are kept, not lost; the vCPU keeps most of its time.  Counting costs an
 * increment per event; the clock is read once per STORM_EDGES.
 */
#include <string.h>
#include "arch/clock.h"
#include "events/abi.h"
#include "hypercall/event_channel.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define PORTS_PER_PAGE  (PAGE_SIZE / sizeof(struct event_port))
#define STORM_EDGES     256
#define STORM_WINDOW_NS (2 * NS_PER_MS)
#define SETTLE_NS       (10 * NS_PER_MS) /* for another vCPU to take a dead word off its queue */

static const struct events_ops *ops;
static struct event_port *port_pages[EVTCHN_FIFO_NR_CHANNELS / PORTS_PER_PAGE]; /* set once each */
static spinlock_t events_lock; /* binding, masking, growing; not taken on the way to a handler */
static struct events_cpu boot_cpu;

static void (*storm_arm)(uint64_t delay_ns);
static uint32_t storm_armed;

/* NULL: nobody ever bound a port near it. `port` < EVTCHN_FIFO_NR_CHANNELS. */
static struct event_port *port_at(evtchn_port_t port)
{
    struct event_port *page = load_acquire(&port_pages[port / PORTS_PER_PAGE]); /* with reserve() */

    return page ? &page[port % PORTS_PER_PAGE] : NULL;
}

static bool in_range(evtchn_port_t port)
{
    return port > 0 && port < ops->nr_ports;
}

static struct events_cpu *cpu_of(unsigned int vcpu)
{
    return vcpu < MAX_VCPUS && percpus[vcpu] ? percpus[vcpu]->events : NULL;
}

int events_init(struct shared_info *shared, enum events_abi abi)
{
    struct percpu *cpu = this_percpu();
    int rc = -XEN_ENOSYS;

    boot_cpu.vcpu = cpu->vcpu;
    if (abi != EVENTS_2L)
        rc = fifo_init(&boot_cpu);
    if (rc == 0) {
        ops = &fifo_ops;
        rc = ops->reserve(1); /* the toolstack's ports; from here there is no way back to two-level */
    } else {
        if (abi == EVENTS_FIFO)
            log_warn("events: Xen refuses the FIFO ABI (%s): using two-level", error_name(rc));
        ops = &two_level_ops;
        two_level_init(shared);
        rc = 0;
    }
    if (rc == 0)
        cpu->events = &boot_cpu;
    return rc;
}

int events_cpu_init(struct percpu *cpu)
{
    struct events_cpu *events = kmem_alloc(sizeof(*events));
    int rc;

    if (!events)
        return -XEN_ENOMEM;
    events->vcpu = cpu->vcpu;
    rc = ops->cpu_init(events);
    if (rc)
        kmem_free(events);
    else
        cpu->events = events;
    return rc;
}

enum events_abi events_get_abi(void)
{
    return ops == &fifo_ops ? EVENTS_FIFO : EVENTS_2L;
}

void events_upcall(void)
{
    struct percpu *cpu = this_percpu();
    struct events_cpu *events = cpu->events;
    struct vcpu_info *info = &cpu->vcpu_info;

    if (!events) { /* register_vcpu_info raises one before there is anything to serve */
        store_once(&info->evtchn_upcall_pending, 0);
        return;
    }
    events->upcalls++;
    cpu->upcall_depth++;
    do {
        atomic_exchange(&info->evtchn_upcall_pending, 0); /* before the scan: what it misses raises it again */
        ops->scan(events, info);
    } while (load_once(&info->evtchn_upcall_pending));
    cpu->upcall_depth--;
}

/* --- from a scan to a handler -------------------------------------------------------------------- */

static void port_enter(struct event_port *p)
{
    /* Held elsewhere only if the port was moved here while its handler ran there: that is short. */
    while (atomic_exchange(&p->running, 1)) {
        for (unsigned int turn = 0; load_once(&p->running); turn++) {
            if (turn < SPIN_BEFORE_YIELD)
                cpu_relax();
            else
                hypercall_sched_yield();
        }
    }
}

static void port_leave(struct event_port *p)
{
    store_release(&p->running, 0); /* pairs with port_enter() and quiesce() */
}

/* Edges for nobody: keep them, in case somebody binds the port, but hear no more of them. */
static void spurious(struct events_cpu *cpu, evtchn_port_t port)
{
    struct event_port *p;

    spin_lock(&events_lock);
    p = port_at(port);
    if (!p || !p->fn) /* else bound in this moment: bind unmasked it, and it stays pending */
        ops->mask(port);
    spin_unlock(&events_lock);
    cpu->spurious++;
    log_debug("events: port %u fired but has no handler", port);
}

struct event_port *event_claim(struct events_cpu *cpu, evtchn_port_t port)
{
    struct event_port *p = port_at(port);

    if (!p) {
        spurious(cpu, port);
        return NULL;
    }
    if (p->vcpu != cpu->vcpu && ops == &two_level_ops)
        return NULL; /* all vCPUs see all pending bits; each FIFO queue has one reader */
    port_enter(p);
    cpu->fn = __atomic_load_n(&p->fn, __ATOMIC_SEQ_CST); /* after port_enter(): see quiesce() */
    if (cpu->fn)
        return p;
    port_leave(p);
    spurious(cpu, port);
    return NULL;
}

/* Called each STORM_EDGES edges. */
static void storm_check(struct event_port *p, evtchn_port_t port)
{
    uint64_t now = arch_clock_ns();
    bool storm = now - p->window_ns < STORM_WINDOW_NS && storm_arm;

    p->window_ns = now;
    p->count = 0;
    if (!storm)
        return;
    spin_lock(&events_lock);
    p->masks |= MASKED_BY_STORM;
    ops->mask(port);
    spin_unlock(&events_lock);
    if (!atomic_exchange(&storm_armed, 1))
        storm_arm(STORM_WINDOW_NS);
}

void event_run(struct events_cpu *cpu, struct event_port *p, evtchn_port_t port)
{
    cpu->delivered++;
    cpu->fn(port, p->arg); /* as claimed: p->fn may be gone, its quiesce() waits for us */
    if (p->stranger && ++p->count == STORM_EDGES)
        storm_check(p, port);
    port_leave(p);
}

void events_set_throttle(void (*arm)(uint64_t delay_ns))
{
    storm_arm = arm;
}

/* held: events_lock */
static void unmask_if_free(struct event_port *p, evtchn_port_t port)
{
    if (p->masks == 0 && p->fn)
        ops->unmask(port);
}

void events_unthrottle(void)
{
    bool enabled = spin_lock_save(&events_lock);

    store_once(&storm_armed, 0); /* a storm noted from here on arms again: both hold the lock */
    for (evtchn_port_t port = 0; port < ops->nr_ports; port++) {
        struct event_port *p = port_at(port);

        if (!p) {
            port += PORTS_PER_PAGE - 1;
        } else if (p->masks & MASKED_BY_STORM) {
            p->masks &= ~MASKED_BY_STORM;
            unmask_if_free(p, port);
        }
    }
    spin_unlock_restore(&events_lock, enabled);
}

/* --- binding ------------------------------------------------------------------------------------- */

/* held: events_lock. Memory for what we and Xen keep of `port`. */
static int reserve(evtchn_port_t port)
{
    struct event_port **page = &port_pages[port / PORTS_PER_PAGE], *fresh;
    int rc = ops->reserve(port);

    if (rc == 0 && !*page) {
        fresh = page_alloc_zeroed();
        if (!fresh)
            return -XEN_ENOMEM;
        store_release(page, fresh); /* pairs with port_at() */
    }
    return rc;
}

static int install(evtchn_port_t port, unsigned int vcpu, bool stranger, event_handler *handler,
                   void *arg)
{
    struct event_port *p;
    bool enabled;
    int rc;

    if (!in_range(port) || !cpu_of(vcpu))
        return -XEN_EINVAL;
    enabled = spin_lock_save(&events_lock);
    rc = reserve(port);
    p = rc ? NULL : port_at(port);
    if (p && p->fn) {
        rc = -XEN_EEXIST;
    } else if (p) {
        ops->mask(port); /* it is, unless Xen or an earlier kernel left it open */
        p->arg = arg;
        p->vcpu = vcpu;
        p->stranger = stranger;
        p->masks = 0;
        p->count = 0;
        store_release(&p->fn, handler); /* pairs with the load in event_claim() */
        ops->unmask(port);
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
    int rc = cpu_of(vcpu) ? hypercall_evtchn_bind_virq(virq, vcpu, port) : -XEN_ENOENT;

    return rc ? rc : install_new(*port, vcpu, false, handler, arg);
}

int event_bind_ipi(unsigned int vcpu, event_handler *handler, void *arg, evtchn_port_t *port)
{
    int rc = cpu_of(vcpu) ? hypercall_evtchn_bind_ipi(vcpu, port) : -XEN_ENOENT;

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

/* --- unbinding, masks, moving -------------------------------------------------------------------- */

/* Wait until a masked port has left every queue. Only its vCPU can take it off, with an upcall: if that one does not get
 * there in time (down, or it is us with upcalls masked) go on; Xen does not hand out a queued port,
 * and the word is dropped as masked whenever it is met. */
static void settle(evtchn_port_t port)
{
    uint64_t deadline_ns;

    if (!ops->queued(port))
        return;
    deadline_ns = arch_clock_ns() + SETTLE_NS;
    while (ops->queued(port) && arch_clock_ns() < deadline_ns)
        hypercall_sched_yield();
}

/* Take the handler off: masked, not running, not run again. False: there was none. */
static bool quiesce(evtchn_port_t port)
{
    struct event_port *p = in_range(port) ? port_at(port) : NULL;
    bool enabled, bound;

    if (!p)
        return false;
    enabled = spin_lock_save(&events_lock);
    bound = p->fn != NULL;
    if (bound)
        ops->mask(port);
    __atomic_store_n(&p->fn, NULL, __ATOMIC_SEQ_CST);
    spin_unlock_restore(&events_lock, enabled);
    /* An upcall raises `running` before it reads fn, we clear fn before we read `running`: one of us sees the other. */
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
    struct event_port *p = in_range(port) ? port_at(port) : NULL;
    bool enabled;

    if (!p)
        return;
    enabled = spin_lock_save(&events_lock);
    p->masks = (p->masks | add) & ~remove;
    if (p->masks)
        ops->mask(port);
    else
        unmask_if_free(p, port);
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
    return in_range(port) && ops->pending(port);
}

int event_notify(evtchn_port_t port)
{
    return hypercall_evtchn_send(port);
}

int event_move(evtchn_port_t port, unsigned int vcpu)
{
    struct event_port *p = in_range(port) ? port_at(port) : NULL;
    int rc;

    if (!p || !p->fn || !cpu_of(vcpu))
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

void events_get_stats(struct events_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    for (unsigned int i = 0; i < MAX_VCPUS; i++) {
        const struct events_cpu *cpu = cpu_of(i);

        if (!cpu)
            continue;
        stats->upcalls += load_once(&cpu->upcalls);
        stats->delivered += load_once(&cpu->delivered);
        stats->spurious += load_once(&cpu->spurious);
    }
}
