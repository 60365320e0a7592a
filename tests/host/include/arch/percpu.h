/* SPDX-License-Identifier: MIT
 *
 * The running vCPU on the host: a pthread says which vCPU it plays (fake_cpu_adopt(); vCPU 0 unless
 * told). With the fake kernel several pthreads are threads of the same vCPU, each with its own
 * `current`.
 */
#pragma once

extern _Thread_local struct percpu *fake_percpu;
extern _Thread_local struct thread *fake_current;
extern struct percpu percpu_boot;

static inline struct percpu *this_percpu(void)
{
    return fake_percpu ? fake_percpu : &percpu_boot;
}

static inline struct thread *current_thread(void)
{
    return fake_current ? fake_current : this_percpu()->current;
}
