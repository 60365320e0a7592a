/* SPDX-License-Identifier: MIT
 *
 * Where a thread may not be preempted, and where it may sleep.
 */
#include "kernel/sched_private.h"
#include "lib/panic.h"

void preempt_disable(void)
{
    bool enabled = upcalls_save(); /* or we might count on the vCPU we just left */

    this_percpu()->preempt_count++;
    upcalls_restore(enabled);
}

void preempt_enable(void)
{
    bool enabled = upcalls_save();
    struct percpu *cpu = this_percpu();

    kassert(cpu->preempt_count > 0);
    cpu->preempt_count--;
    if (cpu->upcall_depth)
        upcalls_restore(enabled);
    else
        sched_unmask(enabled);
}

#ifdef DEBUG
void sched_might_sleep(const char *what)
{
    struct runq *rq = this_percpu()->runq;

    if (!rq || !rq->idle) /* booting: there is one context */
        return;
    if (!may_sleep())
        panic("%s where nobody may sleep: in an upcall, upcalls masked or preemption off", what);
    lock_order_none_but(NULL, what);
}
#endif

bool may_sleep(void)
{
    bool enabled = upcalls_save();
    bool allowed = enabled && sched_sleep_allowed();

    upcalls_restore(enabled);
    return allowed;
}
