/* SPDX-License-Identifier: MIT
 *
 * Making a vCPU look at its run queue.  This one does at its next chance; another gets an IPI,
 * but not at once: see sched_kick_soon().
 */
#include "kernel/ipi.h"
#include "kernel/sched_private.h"

void sched_kick(struct runq *rq)
{
    if (rq->cpu->current != rq->idle)
        rq->cpu->need_resched = true;
    else /* it looks by itself before it blocks; the next thread is for another idle one */
        sched_idle_end(rq->cpu->vcpu);
    if (rq->cpu != this_percpu())
        sched_kick_soon(rq);
}

/* Not now: our caller holds locks that the other vCPU would wait for, if Xen let it run at once,
 * and perhaps in our place. */
void sched_kick_soon(const struct runq *rq)
{
    struct percpu *self = this_percpu();
    unsigned int vcpu = rq->cpu->vcpu;

    self->kicks.bits[vcpu / BITS_PER_LONG] |= 1UL << vcpu % BITS_PER_LONG;
    self->kicks_due = self->need_resched = true;
}

void sched_send_kicks(struct percpu *self)
{
    self->kicks_due = false;
    for (unsigned int word = 0; word < ARRAY_SIZE(self->kicks.bits); word++) {
        unsigned long bits = self->kicks.bits[word];

        for (self->kicks.bits[word] = 0; bits; bits &= bits - 1)
            ipi_send(word * BITS_PER_LONG + lowest_bit(bits), IPI_KICK);
    }
}
