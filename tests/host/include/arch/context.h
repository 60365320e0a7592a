/* SPDX-License-Identifier: MIT
 *
 * Threads of the host are pthreads (fake_kernel.c): declarations only, for code that mentions
 * contexts.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct context {
    unsigned long sp;  /* of a thread that is not running; its registers are on its stack */
    unsigned long tls; /* what the thread register (FS base) holds while it runs */
};

/* Bytes that thread-local storage needs at the top of a stack, 16-byte aligned. */
size_t context_tls_size(void);
/* Lay out thread-local storage in [area, area + context_tls_size()): initial values, the thread
 * pointer, the stack protector's canary. Sets context->tls. */
void context_tls_init(struct context *context, void *area, void *stack_bottom);
/* Make `context` start at sched_thread_entry() on the stack that ends at `stack_top` (16-byte
 * aligned). */
void context_init(struct context *context, void *stack_top);
/* Save the running thread in `from`, go on as `to`. Upcalls masked. Returns when somebody switches
 * back. */
void context_switch(struct context *from, const struct context *to);
/* Load the thread register for a context that is running already (boot). */
void context_adopt(const struct context *context);
/* The saved frame pointer of a context that is not running, for backtraces. */
const unsigned long *context_frame(const struct context *context);
