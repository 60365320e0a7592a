/* SPDX-License-Identifier: MIT
 *
 * What both event channel ABIs have in common: the start, the table of handlers, the way from an
 * upcall to a handler, storms.  Binding is in bind.c, the bits themselves in two_level.c and
 * fifo.c.  Follows Xen public/event_channel.h.
 *
 * The table of handlers grows by pages of 128 ports, as ports appear; boot costs its first page.
 *
 * Storms: an upcall that is raised again as soon as it returns starves threads however little each
 * does.  So a port whose other end is a stranger and that fires STORM_EDGES times within
 * STORM_WINDOW_NS, or so often that the upcall it all happens in does not end (hypercalls may be
 * slow), is masked until the window's end.  Its edges are kept, not lost; the vCPU keeps most of
 * its time.  Counting costs an increment per event; the clock is read once per STORM_EDGES.
 */
#include <string.h>
#include "arch/clock.h"
#include "events/abi.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "mm/page.h"

#define STORM_EDGES     256
#define STORM_WINDOW_NS (2 * NS_PER_MS)

const struct events_ops *events_ops;
static struct event_port
    *port_pages[EVTCHN_FIFO_NR_CHANNELS / EVENT_PORTS_PER_PAGE]; /* set once each */
spinlock_t events_lock = SPINLOCK_INIT_RANK(LOCK_EVENTS);
static struct events_cpu boot_cpu;

static void (*storm_arm)(uint64_t delay_ns);
static uint32_t storm_armed;

struct event_port *event_port_at(evtchn_port_t port)
{
    struct event_port *page =
        load_acquire(&port_pages[port / EVENT_PORTS_PER_PAGE]); /* with event_port_reserve() */

    return page ? &page[port % EVENT_PORTS_PER_PAGE] : NULL;
}

int event_port_reserve(evtchn_port_t port)
{
    struct event_port **page = &port_pages[port / EVENT_PORTS_PER_PAGE], *fresh;
    int rc = events_ops->reserve(port);

    if (rc == 0 && !*page) {
        fresh = page_alloc_zeroed();
        if (!fresh)
            return -XEN_ENOMEM;
        store_release(page, fresh); /* pairs with event_port_at() */
    }
    return rc;
}

struct events_cpu *events_cpu_of(unsigned int vcpu)
{
    return vcpu < MAX_VCPUS && percpus[vcpu] ? percpus[vcpu]->events : NULL;
}

__attribute__((cold)) int events_init(struct shared_info *(*shared)(void), enum events_abi abi)
{
    struct percpu *cpu = this_percpu();
    int rc = -XEN_ENOSYS;

    boot_cpu.vcpu = cpu->vcpu;
    if (abi != EVENTS_2L)
        rc = fifo_init(&boot_cpu);
    if (rc == 0) {
        events_ops = &fifo_ops;
        rc = events_ops->reserve(
            1); /* the toolstack's ports; from here there is no way back to two-level */
    } else {
        if (abi == EVENTS_FIFO)
            log_warn("events: Xen refuses the FIFO ABI (%s): using two-level", error_name(rc));
        events_ops = &two_level_ops;
        two_level_init(shared());
        rc = 0;
    }
    if (rc == 0)
        cpu->events = &boot_cpu;
    return rc;
}

__attribute__((cold)) int events_cpu_init(struct percpu *cpu)
{
    struct events_cpu *events = kmem_alloc(sizeof(*events));
    int rc;

    if (!events)
        return -XEN_ENOMEM;
    events->vcpu = cpu->vcpu;
    rc = events_ops->cpu_init(events);
    if (rc)
        kmem_free(events);
    else
        cpu->events = events;
    return rc;
}

enum events_abi events_get_abi(void)
{
    return events_ops == &fifo_ops ? EVENTS_FIFO : EVENTS_2L;
}

void events_upcall(void)
{
    struct percpu *cpu = this_percpu();
    struct events_cpu *events = cpu->events;
    struct vcpu_info *info = &cpu->vcpu_info;

    events->upcalls++;
    cpu->upcall_depth++;
    do {
        atomic_exchange(&info->evtchn_upcall_pending,
                        0); /* before the scan: what it misses raises it again */
        events_ops->scan(events, info);
    } while (load_once(&info->evtchn_upcall_pending));
    cpu->upcall_depth--;
}

/* --- from a scan to a handler --------------------------------------------------------------------
 */

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
__attribute__((cold)) static void spurious(struct events_cpu *cpu, evtchn_port_t port)
{
    struct event_port *p;

    spin_lock(&events_lock);
    p = event_port_at(port);
    if (!p || !p->fn) /* else bound in this moment: bind unmasked it, and it stays pending */
        events_ops->mask(port);
    spin_unlock(&events_lock);
    cpu->spurious++;
    log_debug("events: port %u fired but has no handler", port);
}

struct event_port *event_claim(struct events_cpu *cpu, evtchn_port_t port)
{
    struct event_port *p = event_port_at(port);

    if (!p) {
        spurious(cpu, port);
        return NULL;
    }
    if (p->vcpu != cpu->vcpu && events_ops == &two_level_ops)
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
__attribute__((cold)) static void storm_check(struct events_cpu *cpu, struct event_port *p,
                                              evtchn_port_t port)
{
    uint64_t now = arch_clock_ns();
    bool endless = cpu->checked == cpu->upcalls;
    bool storm = endless || now - p->window_ns < STORM_WINDOW_NS;

    p->window_ns = now;
    p->count = 0;
    cpu->checked = cpu->upcalls;
    if (!storm || !storm_arm)
        return;
    spin_lock(&events_lock);
    p->masks |= MASKED_BY_STORM;
    events_ops->mask(port);
    spin_unlock(&events_lock);
    if (!atomic_exchange(&storm_armed, 1))
        storm_arm(STORM_WINDOW_NS);
}

void event_run(struct events_cpu *cpu, struct event_port *p, evtchn_port_t port)
{
    cpu->delivered++;
    cpu->fn(port, p->arg); /* as claimed: p->fn may be gone, its quiesce() waits for us */
    if (p->stranger && ++p->count == STORM_EDGES)
        storm_check(cpu, p, port);
    port_leave(p);
}

void events_set_throttle(void (*arm)(uint64_t delay_ns))
{
    storm_arm = arm;
}

void event_unmask_if_free(struct event_port *p, evtchn_port_t port)
{
    if (p->masks == 0 && p->fn)
        events_ops->unmask(port);
}

__attribute__((cold)) void events_unthrottle(void)
{
    bool enabled = spin_lock_save(&events_lock);

    store_once(&storm_armed, 0); /* a storm noted from here on arms again: both hold the lock */
    for (evtchn_port_t port = 0; port < events_ops->nr_ports; port++) {
        struct event_port *p = event_port_at(port);

        if (!p) {
            port += EVENT_PORTS_PER_PAGE - 1;
        } else if (p->masks & MASKED_BY_STORM) {
            p->masks &= ~MASKED_BY_STORM;
            event_unmask_if_free(p, port);
        }
    }
    spin_unlock_restore(&events_lock, enabled);
}

__attribute__((cold)) void events_get_stats(struct events_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    for (unsigned int i = 0; i < MAX_VCPUS; i++) {
        const struct events_cpu *cpu = events_cpu_of(i);

        if (!cpu)
            continue;
        stats->upcalls += load_once(&cpu->upcalls);
        stats->delivered += load_once(&cpu->delivered);
        stats->spurious += load_once(&cpu->spurious);
    }
}
