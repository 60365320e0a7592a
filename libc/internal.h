/* SPDX-License-Identifier: MIT
 *
 * Between the files of libc/ only.
 */
#pragma once
#include "control/control.h"

/* What the toolstack last asked for; CONTROL_NONE. Any context. */
enum control_request libc_requested(void);

/* newlib's names. Note fn for exit; 0, or -1 when memory is out. Thread context. */
int __register_exitproc(int type, void (*fn)(void), void *arg, void *dso);
/* Run what was noted, the newest first: of one shared object, or with NULL everything. */
void __call_exitprocs(int code, void *dso);

/* Give the free blocks that the vCPUs keep for the next malloc() back to newlib. */
void libc_malloc_gather(void);

/* The thread that runs main(). Any context. */
struct thread *libc_main_thread(void);

/* What happens by default: nothing, or the end of the domain. Any context. */
void libc_default_action(int signal);
/* Only in programs that use signals: to the program, and to the calling thread. 0 or an errno. */
__attribute__((weak)) int libc_kill(int signal);
__attribute__((weak)) int libc_raise(int signal);
