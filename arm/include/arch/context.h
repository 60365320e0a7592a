/* SPDX-License-Identifier: MIT
 *
 * Switching between threads, and where a thread's local storage lies.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct context {
    unsigned long sp;  /* of a thread that is not running; its registers are on its stack */
    unsigned long tls; /* what the thread register holds while it runs */
};

/* Bytes that thread-local storage needs at the top of a stack, 16-byte aligned. */
size_t context_tls_size(void);
/* Lay out thread-local storage in [area, area + context_tls_size()): initial values, the thread
 * pointer, the stack protector's canary, the limit below which no frame may reach (a reserve above
 * `stack_bottom`). Sets context->tls. */
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
/* In what an upcall calls at its end, on the stack of the thread it interrupted: the address where
 * that goes on. 0: the caller was not called by an upcall. */
unsigned long context_interrupted_pc(void);
/* fn(arg) on another stack, [bottom, bottom + size), both multiples of 16. fn does not return. The
 * thread keeps its own stack, where its thread-local storage lies. */
_Noreturn void context_call_on_stack(void *bottom, size_t size, void (*fn)(void *arg), void *arg);
/* ARM only, boot: there is a thread register but no thread yet. */
void context_tls_nobody(struct context *context);
