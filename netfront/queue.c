/* SPDX-License-Identifier: MIT
 *
 * A queue: two rings, their event channels, and the thread that works on them, on a vCPU of its
 * own.  An event only wakes that thread, which works until nothing is left, a budget at a time.
 */
#include "events/events.h"
#include "grant/grant.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/page.h"
#include "netfront/internal.h"

#define BUDGET      64 /* responses of a ring before the other one's turn, and other threads' */
#define BUSY_ROUNDS 8  /* full budgets in a row, after which the program gets its share */
#define RETRY_NS    (50 * NS_PER_MS)

static void queue_event(evtchn_port_t port, void *arg)
{
    struct netfront_queue *q = arg;

    (void)port;
    signal_raise(&q->work);
}

/* As a service of the kernel the thread goes before the program, but not for ever. */
static void be_fair(unsigned int rounds)
{
    if (rounds == BUSY_ROUNDS)
        thread_set_priority(current_thread(), PRIORITY_NORMAL, false);
    thread_yield();
}

/* The ports follow the thread, unless the vCPU is gone already. */
static void move_ports(const struct netfront_queue *q, unsigned int vcpu)
{
    event_move(q->tx_port, vcpu);
    if (q->rx_port != q->tx_port)
        event_move(q->rx_port, vcpu);
}

/* Back to the queue's vCPU, which was offline for a while. */
static void go_home(const struct netfront_queue *q)
{
    struct vcpu_set affinity = { { 0 } };

    if (this_percpu()->vcpu == q->vcpu || !vcpu_set_has(&vcpus_online, q->vcpu))
        return;
    vcpu_set_add(&affinity, q->vcpu);
    if (thread_set_affinity(current_thread(), &affinity) == 0)
        move_ports(q, q->vcpu);
}

static void queue_main(void *arg)
{
    struct netfront_queue *q = arg;
    unsigned int rounds = 0;

    while (!load_acquire(&q->stop)) { /* pairs with queue_stop() */
        int tx = tx_poll(q, BUDGET);
        int rx = tx < 0 ? tx : rx_poll(q, BUDGET);

        if (rx < 0) {
            netfront_found_fault(q);
            break;
        }
        if (tx || rx) {
            be_fair(++rounds);
            continue;
        }
        if (rounds >= BUSY_ROUNDS)
            thread_set_priority(current_thread(), PRIORITY_HIGH, false);
        rounds = 0;
        go_home(q);
        signal_wait(&q->work, rx_is_short(&q->rx) ? time_after_ns(RETRY_NS) : TIME_NEVER);
    }
}

int ring_open(domid_t domid, void **page, grant_ref_t *ref)
{
    int rc = -XEN_ENOMEM;

    *page = page_alloc_zeroed();
    if (*page)
        rc = grant_access(domid, *page, false, ref);
    if (rc) {
        pages_free(*page, 0);
        *page = NULL;
        *ref = GRANT_NONE;
    }
    return rc;
}

void ring_close(void *page, grant_ref_t *ref)
{
    if (*ref)
        grant_end_and_free(*ref, page);
    *ref = GRANT_NONE;
}

static int open_ports(struct netfront_queue *q)
{
    domid_t domid = q->nf->xenbus.backend_id;
    int rc = event_alloc_unbound(domid, queue_event, q, &q->tx_port);

    if (rc)
        q->tx_port = 0;
    q->rx_port = q->tx_port;
    if (rc == 0 && q->nf->split) {
        rc = event_alloc_unbound(domid, queue_event, q, &q->rx_port);
        if (rc)
            q->rx_port = 0;
    }
    return rc;
}

static void close_ports(struct netfront_queue *q)
{
    if (q->rx_port && q->rx_port != q->tx_port)
        event_unbind(q->rx_port);
    if (q->tx_port)
        event_unbind(q->tx_port);
    q->rx_port = q->tx_port = 0;
}

int queue_open(struct netfront_queue *q)
{
    int rc = tx_open(q);

    if (rc == 0)
        rc = rx_open(q);
    if (rc == 0)
        rc = open_ports(q);
    return rc;
}

int queue_start(struct netfront_queue *q, unsigned int vcpu)
{
    struct vcpu_set affinity = { { 0 } };
    char name[THREAD_NAME_MAX];
    struct thread_options options = {
        .name = name,
        .stack_order = THREAD_STACK_ORDER,
        .priority = PRIORITY_HIGH,
        .affinity = &affinity,
    };
    int rc;

    vcpu_set_add(&affinity, vcpu);
    format_text(name, sizeof(name), "%s-%u", q->nf->dev.name, q->index);
    q->vcpu = vcpu;
    if (vcpu) /* ports are born on vCPU 0 */
        move_ports(q, vcpu);
    q->stop = false;
    rc = thread_create_with(&q->thread, &options, queue_main, q);
    if (rc == -XEN_EINVAL) { /* the vCPU went offline a moment ago */
        options.affinity = NULL;
        rc = thread_create_with(&q->thread, &options, queue_main, q);
    }
    if (rc)
        q->thread = NULL;
    return rc;
}

void queue_stop(struct netfront_queue *q)
{
    bool enabled = spin_lock_save(&q->tx.lock);

    q->tx.open = q->tx.starved = false;
    spin_unlock_restore(&q->tx.lock, enabled);
    if (q->thread) {
        store_release(&q->stop, true); /* pairs with queue_main() */
        signal_raise(&q->work);
        thread_join(q->thread, TIME_NEVER);
        q->thread = NULL;
    }
    close_ports(q);
}

void queue_close(struct netfront_queue *q)
{
    tx_close(q);
    rx_close(q);
}
