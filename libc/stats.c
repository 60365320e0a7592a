/* SPDX-License-Identifier: MIT
 *
 * What the domain does, in numbers, for programs that show it.
 */
#include "events/events.h"
#include "kernel/sched.h"
#include "xenolith.h"

void xenolith_get_stats(struct xenolith_stats *stats)
{
    struct events_stats events;
    struct sched_stats sched;

    events_get_stats(&events);
    sched_get_stats(&sched);
    *stats = (struct xenolith_stats){ .idle_ns = sched.idle_ns,
                                      .switches = sched.switches,
                                      .upcalls = events.upcalls,
                                      .events = events.delivered,
                                      .threads = sched.threads };
}

uint64_t xenolith_vcpu_idle_ns(unsigned int vcpu)
{
    return sched_idle_ns(vcpu);
}
