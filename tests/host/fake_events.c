/* SPDX-License-Identifier: MIT
 *
 * The fake Xen's event channels, two-level and FIFO, as seen from the guest: states of ports, when
 * Xen writes which bit, and when it raises an upcall.  Follows Xen public/event_channel.h and the
 * FIFO design document.
 */
#include <stdlib.h>
#include "lib/atomic.h"
#include "tests/host/fake_xen.h"

#define NR_PORTS       EVTCHN_FIFO_NR_CHANNELS
#define NR_2L          EVTCHN_2L_NR_CHANNELS
#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(event_word_t))
#define NR_VIRQ        24
#define PENDING        (1U << EVTCHN_FIFO_PENDING)
#define MASKED         (1U << EVTCHN_FIFO_MASKED)
#define LINKED         (1U << EVTCHN_FIFO_LINKED)
#define BUSY           (1U << EVTCHN_FIFO_BUSY)

enum port_kind { PORT_FREE, PORT_UNBOUND, PORT_INTERDOMAIN, PORT_VIRQ, PORT_IPI };

struct port {
    enum port_kind kind;
    unsigned int vcpu, virq, priority;
    unsigned int queue_vcpu, queue_priority; /* FIFO: the queue it was last linked on */
    unsigned int sent;
    bool kept_pending; /* FIFO: raised before the guest gave a page for the word */
    void (*on_sent)(void *arg);
    void *on_sent_arg;
};

static struct port ports[NR_PORTS];
static bool fifo;
static struct evtchn_fifo_control_block *controls[MAX_VCPUS];
static evtchn_port_t tails[MAX_VCPUS][EVTCHN_FIFO_MAX_QUEUES];
static event_word_t *pages[NR_PORTS / WORDS_PER_PAGE];
static unsigned int nr_pages, dropped;

static unsigned int port_limit(void)
{
    return MIN(fake_xen.max_ports, (unsigned int)(fifo ? NR_PORTS : NR_2L));
}

event_word_t *fake_fifo_word(evtchn_port_t port)
{
    unsigned int page = port / WORDS_PER_PAGE;

    return page < nr_pages ? &pages[page][port % WORDS_PER_PAGE] : NULL;
}

struct evtchn_fifo_control_block *fake_fifo_control(unsigned int vcpu)
{
    return controls[vcpu];
}

unsigned int fake_events_dropped(void)
{
    return dropped;
}

/* --- setting events pending; the Xen lock is held ------------------------------------------------
 */

static void mark_upcall(unsigned int vcpu)
{
    if (percpus[vcpu] && !load_acquire(&percpus[vcpu]->vcpu_info.evtchn_upcall_pending))
        fake_upcall_set(vcpu);
}

static void select_2l(evtchn_port_t port)
{
    unsigned int vcpu = ports[port].vcpu;

    if (!percpus[vcpu])
        return;
    if (!bit_test_and_set(&percpus[vcpu]->vcpu_info.evtchn_pending_sel, port / BITS_PER_LONG))
        mark_upcall(vcpu);
}

static void set_pending_2l(evtchn_port_t port)
{
    if (!bit_test_and_set(fake_xen.shared->evtchn_pending, port) &&
        !bit_test(fake_xen.shared->evtchn_mask, port))
        select_2l(port);
}

/* Append `port` to the word of the queue's last event; false when the guest has taken that already.
 */
static bool link_to_tail(event_word_t *tail, evtchn_port_t port)
{
    event_word_t word = load_acquire(tail);

    do {
        if (!(word & LINKED))
            return false;
    } while (
        !atomic_compare_exchange(tail, &word, (word & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | port));
    return true;
}

static void link_fifo(evtchn_port_t port, event_word_t *word)
{
    struct port *p = &ports[port];
    struct evtchn_fifo_control_block *control = controls[p->vcpu];
    evtchn_port_t *tail = &tails[p->vcpu][p->priority];

    if (tails[p->queue_vcpu][p->queue_priority] == port)
        tails[p->queue_vcpu][p->queue_priority] = 0;
    if (!control) {
        dropped++;
        return;
    }
    if (atomic_fetch_or(word, LINKED) & LINKED)
        return;
    p->queue_vcpu = p->vcpu;
    p->queue_priority = p->priority;
    if (*tail && link_to_tail(fake_fifo_word(*tail), port)) {
        *tail = port;
        return;
    }
    store_release(&control->head[p->priority], port);
    *tail = port;
    if (!(atomic_fetch_or(&control->ready, 1U << p->priority) & 1U << p->priority))
        mark_upcall(p->vcpu);
}

static void set_pending_fifo(evtchn_port_t port)
{
    event_word_t *word = fake_fifo_word(port);

    if (!word) {
        ports[port].kept_pending = true;
        dropped++;
        return;
    }
    if (!(atomic_fetch_or(word, PENDING) & MASKED) && !(load_acquire(word) & LINKED))
        link_fifo(port, word);
}

static void set_pending(evtchn_port_t port)
{
    if (fifo)
        set_pending_fifo(port);
    else
        set_pending_2l(port);
}

static bool is_pending(evtchn_port_t port)
{
    if (!fifo)
        return bit_test(fake_xen.shared->evtchn_pending, port);
    return fake_fifo_word(port) && load_acquire(fake_fifo_word(port)) & PENDING;
}

bool fake_any_pending(const evtchn_port_t *list, unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        if (list[i] < port_limit() && is_pending(list[i]))
            return true;
    }
    return false;
}

/* --- operations ----------------------------------------------------------------------------------
 */

static int port_new(enum port_kind kind, unsigned int vcpu, evtchn_port_t *out)
{
    for (evtchn_port_t port = 1; port < port_limit(); port++) {
        event_word_t *word = fifo ? fake_fifo_word(port) : NULL;

        if (ports[port].kind != PORT_FREE || (word && load_acquire(word) & LINKED))
            continue; /* a linked word is still in use, as in Xen */
        ports[port] = (struct port){ .kind = kind,
                                     .vcpu = vcpu,
                                     .priority = EVTCHN_FIFO_PRIORITY_DEFAULT,
                                     .queue_vcpu = ports[port].queue_vcpu,
                                     .queue_priority = ports[port].queue_priority };
        *out = port;
        return 0;
    }
    return -XEN_ENOSPC;
}

static int op_bind_virq(struct evtchn_bind_virq *op)
{
    if (op->virq >= NR_VIRQ || op->vcpu >= fake_xen.vcpus)
        return -XEN_EINVAL;
    for (evtchn_port_t port = 1; port < port_limit(); port++) {
        if (ports[port].kind == PORT_VIRQ && ports[port].virq == op->virq &&
            ports[port].vcpu == op->vcpu)
            return -XEN_EEXIST;
    }
    if (port_new(PORT_VIRQ, op->vcpu, &op->port))
        return -XEN_ENOSPC;
    ports[op->port].virq = op->virq;
    return 0;
}

static int op_bind_ipi(struct evtchn_bind_ipi *op)
{
    return op->vcpu < fake_xen.vcpus ? port_new(PORT_IPI, op->vcpu, &op->port) : -XEN_ENOENT;
}

static int op_close(evtchn_port_t port)
{
    ports[port].kind = PORT_FREE;
    if (!fifo)
        bit_test_and_clear(fake_xen.shared->evtchn_pending, port);
    else if (fake_fifo_word(port))
        atomic_fetch_and(fake_fifo_word(port), ~PENDING);
    return 0;
}

static int op_send(evtchn_port_t port)
{
    if (ports[port].kind == PORT_VIRQ)
        return -XEN_EINVAL;
    ports[port].sent++;
    if (ports[port].kind == PORT_IPI)
        set_pending(port);
    return 0;
}

static int op_bind_vcpu(evtchn_port_t port, unsigned int vcpu)
{
    bool global_virq = ports[port].virq != VIRQ_TIMER && ports[port].virq != VIRQ_DEBUG;

    if (vcpu >= fake_xen.vcpus)
        return -XEN_ENOENT;
    if (ports[port].kind == PORT_IPI || (ports[port].kind == PORT_VIRQ && !global_virq))
        return -XEN_EINVAL;
    ports[port].vcpu = vcpu;
    return 0;
}

static int op_unmask(evtchn_port_t port)
{
    if (fifo) {
        event_word_t *word = fake_fifo_word(port);

        if (word && atomic_fetch_and(word, ~MASKED) & PENDING)
            set_pending_fifo(port);
    } else if (bit_test_and_clear(fake_xen.shared->evtchn_mask, port) &&
               bit_test(fake_xen.shared->evtchn_pending, port)) {
        select_2l(port);
    }
    return 0;
}

static int op_init_control(struct evtchn_init_control *op)
{
    char *page = fake_frame_at(op->control_gfn);

    if (!fake_xen.has_fifo)
        return -XEN_ENOSYS;
    if (op->vcpu >= fake_xen.vcpus || !page || op->offset & 7 ||
        op->offset + sizeof(struct evtchn_fifo_control_block) > PAGE_SIZE || controls[op->vcpu])
        return -XEN_EINVAL;
    controls[op->vcpu] = (void *)(page + op->offset);
    if (!fifo) {
        for (evtchn_port_t port = 1; port < NR_2L; port++)
            ports[port].kept_pending = bit_test(fake_xen.shared->evtchn_pending, port);
        fifo = true;
    }
    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    return 0;
}

static int op_expand_array(uint64_t gfn)
{
    evtchn_port_t port = nr_pages * WORDS_PER_PAGE;

    if (!fifo || !fake_frame_at(gfn))
        return -XEN_EINVAL;
    if (port >= port_limit())
        return -XEN_ENOSPC;
    pages[nr_pages++] = fake_frame_at(gfn);
    for (unsigned int i = 0; i < WORDS_PER_PAGE; i++, port++) {
        if (ports[port].kept_pending)
            set_pending_fifo(port);
        ports[port].kept_pending = false;
    }
    return 0;
}

static int op_set_priority(struct evtchn_set_priority *op)
{
    if (!fifo || op->priority > EVTCHN_FIFO_PRIORITY_MIN)
        return -XEN_EINVAL;
    ports[op->port].priority = op->priority;
    return 0;
}

/* Operations on a port that must be open. */
static int port_op(unsigned int cmd, void *arg)
{
    evtchn_port_t port = *(evtchn_port_t *)arg; /* where all of these have it */

    if (port == 0 || port >= port_limit() || ports[port].kind == PORT_FREE)
        return -XEN_EINVAL;
    switch (cmd) {
    case EVTCHNOP_close:
        return op_close(port);
    case EVTCHNOP_send:
        return op_send(port);
    case EVTCHNOP_bind_vcpu:
        return op_bind_vcpu(port, ((struct evtchn_bind_vcpu *)arg)->vcpu);
    case EVTCHNOP_unmask:
        return op_unmask(port);
    default:
        return op_set_priority(arg);
    }
}

static long op_locked(unsigned int cmd, void *arg)
{
    switch (cmd) {
    case EVTCHNOP_alloc_unbound:
        return port_new(PORT_UNBOUND, 0, &((struct evtchn_alloc_unbound *)arg)->port);
    case EVTCHNOP_bind_interdomain:
        return port_new(PORT_INTERDOMAIN, 0, &((struct evtchn_bind_interdomain *)arg)->local_port);
    case EVTCHNOP_bind_virq:
        return op_bind_virq(arg);
    case EVTCHNOP_bind_ipi:
        return op_bind_ipi(arg);
    case EVTCHNOP_init_control:
        return op_init_control(arg);
    case EVTCHNOP_expand_array:
        return op_expand_array(((struct evtchn_expand_array *)arg)->array_gfn);
    case EVTCHNOP_close:
    case EVTCHNOP_send:
    case EVTCHNOP_bind_vcpu:
    case EVTCHNOP_unmask:
    case EVTCHNOP_set_priority:
        return port_op(cmd, arg);
    default:
        return -XEN_ENOSYS;
    }
}

long fake_event_op(unsigned int cmd, void *arg)
{
    long rc;

    fake_xen_lock();
    rc = op_locked(cmd, arg);
    fake_xen_unlock();
    if (rc == 0 && cmd == EVTCHNOP_send) {
        struct port *port = &ports[((struct evtchn_send *)arg)->port];

        if (port->on_sent)
            port->on_sent(port->on_sent_arg);
    }
    return rc;
}

/* --- what tests do -------------------------------------------------------------------------------
 */

evtchn_port_t fake_port_open(void)
{
    evtchn_port_t port = 0;

    fake_xen_lock();
    port_new(PORT_INTERDOMAIN, 0, &port);
    fake_xen_unlock();
    return port;
}

void fake_port_raise(evtchn_port_t port)
{
    fake_xen_lock();
    set_pending(port);
    fake_xen_unlock();
    fake_deliver();
}

bool fake_virq_raise(unsigned int virq, unsigned int vcpu)
{
    evtchn_port_t port;

    fake_xen_lock();
    for (port = 1; port < port_limit(); port++) {
        if (ports[port].kind == PORT_VIRQ && ports[port].virq == virq && ports[port].vcpu == vcpu)
            break;
    }
    if (port < port_limit())
        set_pending(port);
    fake_xen_unlock();
    fake_deliver();
    return port < port_limit();
}

unsigned int fake_port_sent(evtchn_port_t port)
{
    return load_once(&ports[port].sent);
}

void fake_port_on_sent(evtchn_port_t port, void (*fn)(void *arg), void *arg)
{
    ports[port].on_sent_arg = arg;
    ports[port].on_sent = fn;
}

bool fake_port_is_open(evtchn_port_t port)
{
    return ports[port].kind != PORT_FREE;
}

unsigned int fake_port_vcpu(evtchn_port_t port)
{
    return ports[port].vcpu;
}

unsigned int fake_port_priority(evtchn_port_t port)
{
    return ports[port].priority;
}
