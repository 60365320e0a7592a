/* SPDX-License-Identifier: MIT
 *
 * A thread's first stack frame and its thread-local storage (ELF TLS variant II: the block lies
 * below the thread pointer, which points at a word that holds its own address; the stack
 * protector's canary is at thread pointer + 0x28).  Follows the System V ABI for AMD64 and ELF
 * Handling for Thread-Local Storage.
 */
#include <string.h>
#include "arch/context.h"
#include "arch/cpu.h"
#include "kernel/sched.h"
#include "lib/types.h"
#include "x86/segment.h"

struct thread_control_block {
    struct thread_control_block *self;
    unsigned long reserved[4];
    unsigned long canary; /* gcc's -fstack-protector reads fs:0x28 */
};
_Static_assert(offsetof(struct thread_control_block, canary) == 0x28, "gcc's canary");

/* What context_swap() finds on a new thread's stack. */
struct first_frame {
    uint32_t mxcsr, pad;
    uint64_t x87_control;
    uint64_t r15, r14, r13, r12, rbx, rbp;
    void (*entry)(void);
    uint64_t no_return_address; /* ends a backtrace */
};

void context_swap(struct context *from, const struct context *to);

extern const char __tdata_start[], __tdata_end[]; /* initial values, in the image */
extern char __tls_size[]; /* an absolute symbol: all of it, with zeroes, rounded */

static unsigned long stack_canary;

static size_t tls_block_size(void)
{
    return ROUND_UP((size_t)__tls_size, 16);
}

size_t context_tls_size(void)
{
    return tls_block_size() + ROUND_UP(sizeof(struct thread_control_block), 16);
}

void context_tls_init(struct context *context, void *area)
{
    struct thread_control_block *tcb = (void *)((char *)area + tls_block_size());
    /* The linker measured offsets from the end of the segment, rounded to its alignment. */
    char *block = (char *)tcb - (size_t)__tls_size;
    size_t initial = __tdata_end - __tdata_start;

    if (!stack_canary)
        stack_canary = cpu_random() & ~0xffUL; /* a zero byte stops string overruns */
    memcpy(block, __tdata_start, initial);
    memset(block + initial, 0, (size_t)__tls_size - initial);
    *tcb = (struct thread_control_block){ .self = tcb, .canary = stack_canary };
    context->tls = (unsigned long)tcb;
}

void context_init(struct context *context, void *stack_top)
{
    struct first_frame *frame = (struct first_frame *)stack_top - 1;

    *frame =
        (struct first_frame){ .mxcsr = 0x1f80, .x87_control = 0x37f, .entry = sched_thread_entry };
    context->sp = (unsigned long)frame;
}

void context_switch(struct context *from, const struct context *to)
{
    segment_set_fs(to->tls);
    context_swap(from, to);
}

void context_adopt(const struct context *context)
{
    segment_set_fs(context->tls);
}

const unsigned long *context_frame(const struct context *context)
{
    const struct first_frame *frame = (const void *)context->sp;

    return &frame->rbp;
}
