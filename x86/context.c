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
#include "kernel/thread.h"
#include "lib/panic.h"
#include "lib/percpu.h"
#include "lib/types.h"
#include "x86/guest.h"
#include "x86/segment.h"

struct thread_control_block {
    struct thread_control_block *self;
    unsigned long reserved[4];
    unsigned long canary; /* gcc's -fstack-protector reads fs:0x28 */
    unsigned long reserved2[8];
    unsigned long
        stack_limit; /* gcc's -fsplit-stack: a frame that would reach below calls __morestack */
};
_Static_assert(offsetof(struct thread_control_block, canary) == 0x28, "gcc's canary");
_Static_assert(offsetof(struct thread_control_block, stack_limit) == 0x70, "gcc's stack limit");

/* What a stack keeps back for the report of its overflow. */
#define STACK_RESERVE 4096

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

void context_tls_init(struct context *context, void *area, void *stack_bottom)
{
    struct thread_control_block *tcb = (void *)((char *)area + tls_block_size());
    /* The linker measured offsets from the end of the segment, rounded to its alignment. */
    char *block = (char *)tcb - (size_t)__tls_size;
    size_t initial = __tdata_end - __tdata_start;

    if (!stack_canary)
        stack_canary = cpu_random() & ~0xffUL; /* a zero byte stops string overruns */
    memcpy(block, __tdata_start, initial);
    memset(block + initial, 0, (size_t)__tls_size - initial);
    *tcb = (struct thread_control_block){
        .self = tcb,
        .canary = stack_canary,
        .stack_limit = (unsigned long)stack_bottom + STACK_RESERVE,
    };
    context->tls = (unsigned long)tcb;
}

void context_init(struct context *context, void *stack_top)
{
    struct first_frame *frame = (struct first_frame *)stack_top - 1;

    *frame =
        (struct first_frame){ .mxcsr = 0x1f80, .x87_control = 0x37f, .entry = sched_thread_entry };
    context->sp = (unsigned long)frame;
}

/* Apart, so that the usual way needs no frame. */
static __attribute__((noinline)) void context_switch_slow(struct context *from,
                                                          const struct context *to)
{
    segment_set_fs(to->tls);
    context_swap(from, to);
}

void context_switch(struct context *from, const struct context *to)
{
    if (!segment_have_wrfsbase) {
        context_switch_slow(from, to);
        return;
    }
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

unsigned long context_interrupted_pc(void)
{
    const unsigned long *frame = __builtin_frame_address(0);

    for (unsigned int depth = 0; depth < 8; depth++) {
        unsigned long from = frame[1];

        frame = (const unsigned long *)frame[0];
        if (from >= (unsigned long)guest->upcall && from < (unsigned long)guest->upcall_end)
            return frame[1]; /* the entry made this frame for us */
        if (!frame)
            break;
    }
    return 0;
}

void context_call_on_stack(void *bottom, size_t size, void (*fn)(void *arg), void *arg)
{
    struct thread_control_block *tcb;

    asm("mov %%fs:0, %0" : "=r"(tcb));
    tcb->stack_limit = (unsigned long)bottom + STACK_RESERVE;
    asm volatile("mov %0, %%rsp\n\t"
                 "xor %%ebp, %%ebp\n\t" /* a backtrace ends here */
                 "push $0\n\t"
                 "jmp *%1"
                 :
                 : "r"((char *)bottom + size), "r"(fn), "D"(arg)
                 : "memory");
    __builtin_unreachable();
}

/* Where every function goes that finds too little stack (gcc -fsplit-stack). The guard page below
 * would do no good in a PV domain: Xen pushes the frame of the page fault on the running stack, and
 * ends the domain when that is not possible. So the report is made here, with what the limit kept
 * back. */
void __morestack(void);
void __morestack(void)
{
    struct thread_control_block *tcb;

    asm("mov %%fs:0, %0" : "=r"(tcb));
    tcb->stack_limit = 0;
    panic("stack overflow in thread %s", thread_name(current_thread()));
}

/* The same for alloca() and variable-length arrays. */
void __morestack_allocate_stack_space(void);
void __morestack_allocate_stack_space(void)
{
    __morestack();
}
