/* SPDX-License-Identifier: MIT
 *
 * A thread's first stack frame and its thread-local storage (ELF TLS variant I: the thread register
 * points at two words that are the implementation's, behind which the block lies).  Follows
 * AAPCS32 and AAPCS64, and ELF for the Arm Architecture.
 */
#include <string.h>
#include "arch/context.h"
#include "arch/context_frame.h"
#include "arch/cpu.h"
#include "arm/interrupt.h"
#include "kernel/sched.h"
#include "lib/percpu.h"
#include "lib/types.h"

struct thread_control_block {
    void *reserved;
    struct thread *thread;      /* what current_thread() reads: arch/percpu.h */
} __attribute__((aligned(16))); /* as the block behind it is */

extern const char __tdata_start[], __tdata_end[]; /* initial values, in the image */
extern char __tls_size[]; /* an absolute symbol: all of it, with zeroes, rounded */

void arm_thread_entry(void);
void arm_call_on_stack(void *top, void (*fn)(void *arg), void *arg) __attribute__((noreturn));

/* gcc's -fstack-protector compares with it; set before there is a second thread. */
unsigned long __stack_chk_guard;

size_t context_tls_size(void)
{
    return sizeof(struct thread_control_block) + ROUND_UP((size_t)__tls_size, 16);
}

/* `context` is the first member of its thread, so it is where that is. */
void context_tls_init(struct context *context, void *area, void *stack_bottom)
{
    struct thread_control_block *tcb = area;
    char *block = (char *)(tcb + 1);
    size_t initial = __tdata_end - __tdata_start;

    (void)stack_bottom; /* guard pages do: an exception has a stack of its own */
    if (!__stack_chk_guard)
        __stack_chk_guard = cpu_random() & ~0xffUL; /* a zero byte stops string overruns */
    memcpy(block, __tdata_start, initial);
    memset(block + initial, 0, (size_t)__tls_size - initial);
    *tcb = (struct thread_control_block){ .thread = (struct thread *)context };
    context->tls = (unsigned long)tcb;
}

void context_tls_nobody(struct context *context)
{
    ((struct thread_control_block *)context->tls)->thread = NULL;
}

void context_init(struct context *context, void *stack_top)
{
    struct context_frame *frame = (struct context_frame *)stack_top - 1;

    *frame = (struct context_frame){ .pc = arm_thread_entry };
    context->sp = (unsigned long)frame;
}

void context_adopt(const struct context *context)
{
    cpu_set_thread_register(context->tls);
}

const unsigned long *context_frame(const struct context *context)
{
    const struct context_frame *frame = (const void *)context->sp;

    return &frame->fp;
}

unsigned long context_interrupted_pc(void)
{
    const unsigned long *frame = cpu_frame();

    for (unsigned int depth = 0; depth < 8; depth++) {
        unsigned long from = frame[1];

        frame = cpu_frame_above(frame);
        if (from >= (unsigned long)interrupt && from < (unsigned long)interrupt_end)
            return frame[1]; /* the entry made this frame for us */
        if (!frame)
            break;
    }
    return 0;
}

void context_call_on_stack(void *bottom, size_t size, void (*fn)(void *arg), void *arg)
{
    arm_call_on_stack((char *)bottom + size, fn, arg);
}
