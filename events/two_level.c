/* SPDX-License-Identifier: MIT
 *
 * The two-level event channel ABI: a pending and a mask bit per port in shared_info, and per vCPU a
 * selector that says which words to look at.  Every vCPU sees all pending bits; a port is served by
 * its owner alone.  Follows Xen public/xen.h, struct shared_info.
 */
#include <string.h>
#include "events/abi.h"
#include "hypercall/event_channel.h"

#define WORD_BITS       (8 * sizeof(xen_ulong_t))
#define WORD(map, port) (&(map)[(port) / WORD_BITS])
#define BIT(port)       ((xen_ulong_t)1 << (port) % WORD_BITS)

static struct shared_info *shared;

/* A fresh domain has every port unmasked. */
void two_level_init(struct shared_info *page)
{
    shared = page;
    memset(shared->evtchn_mask, 0xff, sizeof(shared->evtchn_mask));
}

static int cpu_init(struct events_cpu *cpu)
{
    (void)cpu;
    return 0;
}

static int reserve(evtchn_port_t port)
{
    (void)port;
    return 0;
}

static void mask(evtchn_port_t port)
{
    atomic_fetch_or(WORD(shared->evtchn_mask, port), BIT(port));
}

static bool pending(evtchn_port_t port)
{
    return load_acquire(WORD(shared->evtchn_pending, port)) & BIT(port);
}

/* An edge that came while masked left only its pending bit, and nobody raises it again: look after
 * unmasking.  The hypercall wants to find the mask set. */
static void unmask(evtchn_port_t port)
{
    atomic_fetch_and(WORD(shared->evtchn_mask, port), ~BIT(port));
    if (pending(port)) {
        mask(port);
        hypercall_evtchn_unmask(port);
    }
}

static bool queued(evtchn_port_t port)
{
    (void)port;
    return false;
}

static void serve(struct events_cpu *cpu, unsigned int word, xen_ulong_t among)
{
    xen_ulong_t ports = load_acquire(&shared->evtchn_pending[word]) &
                        ~load_once(&shared->evtchn_mask[word]) & among;

    for (; ports; ports &= ports - 1) {
        evtchn_port_t port = word * WORD_BITS + __builtin_ctzll(ports);
        struct event_port *p = event_claim(cpu, port);

        if (!p)
            continue;
        atomic_fetch_and(WORD(shared->evtchn_pending, port), ~BIT(port));
        event_run(cpu, p, port);
        cpu->next_port = (port + 1) % EVTCHN_2L_NR_CHANNELS;
    }
}

static void serve_words(struct events_cpu *cpu, xen_ulong_t words)
{
    for (; words; words &= words - 1)
        serve(cpu, __builtin_ctzll(words), ~(xen_ulong_t)0);
}

/* Once round all ports, beginning after the one served last, so that a low port that keeps firing
 * is not always first. */
static void scan(struct events_cpu *cpu, struct vcpu_info *info)
{
    xen_ulong_t words = atomic_exchange(&info->evtchn_pending_sel, 0);
    unsigned int first = cpu->next_port / WORD_BITS;
    xen_ulong_t first_bit = BIT(first), below = BIT(cpu->next_port) - 1;

    if (words & first_bit)
        serve(cpu, first, ~below);
    serve_words(cpu, words & ~(first_bit | (first_bit - 1)));
    serve_words(cpu, words & (first_bit - 1));
    if (words & first_bit)
        serve(cpu, first, below);
}

const struct events_ops two_level_ops = {
    .nr_ports = EVTCHN_2L_NR_CHANNELS,
    .cpu_init = cpu_init,
    .reserve = reserve,
    .mask = mask,
    .unmask = unmask,
    .pending = pending,
    .queued = queued,
    .scan = scan,
};
