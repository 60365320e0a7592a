/* SPDX-License-Identifier: MIT
 *
 * Many vCPUs: starting and stopping them, having a function called on others, and stopping all of
 * them for a panic.  IPIs are event channels.  Follows Xen public/vcpu.h.
 */
#pragma once
#include "lib/percpu.h"

/* Boot, on vCPU 0, with threads and time: panics reach all vCPUs, this vCPU's runstate is kept. */
void smp_init(void);
/* Does Xen have this vCPU for us, up or down? Any context. */
bool smp_vcpu_exists(unsigned int vcpu);
/* Boot: start every vCPU that exists and that `wanted` says yes to, and wait until they run, at
 * most a second for all. One that does not arrive is named in a message; it is welcome later.
 * Thread context. */
void smp_start(bool (*wanted)(unsigned int vcpu));

/* Start or restart `vcpu` and wait until it runs. 0, also when it runs already; -XEN_ENOENT: Xen
 * has no such vCPU; -XEN_ETIMEDOUT: it did not arrive within a second (it is welcome later);
 * -XEN_ENOMEM. Thread context (both). */
int smp_vcpu_up(unsigned int vcpu);
/* Take its threads, timers and event ports away and stop it. 0, also when it is down already;
 * -XEN_EINVAL for vCPU 0, which stays; -XEN_ETIMEDOUT: a thread does not let go of it. */
int smp_vcpu_down(unsigned int vcpu);

/* Have fn(arg) called in an upcall of `vcpu`: it notes and wakes, as event handlers do. On the
 * calling vCPU it is called here and now, upcalls masked. With `wait` it has returned when this
 * returns. 0 or -XEN_ENODEV: not online. Any context; with `wait` not where a lock is held that any
 * such fn takes. */
int smp_call(unsigned int vcpu, void (*fn)(void *arg), void *arg, bool wait);
/* The same on each vCPU of the set that is online, or on all that are. How many were called. */
unsigned int smp_call_many(const struct vcpu_set *vcpus, void (*fn)(void *arg), void *arg,
                           bool wait);
unsigned int smp_call_all(void (*fn)(void *arg), void *arg, bool wait);
