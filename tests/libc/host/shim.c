/* SPDX-License-Identifier: MIT */
/*
 * Runs a program linked with newlib as a static Linux process on the host, so that newlib can be
 * compared with the host's C library without a domain: entry, thread-local storage, the few system
 * calls newlib asks for. x86-64 only. Not part of Xenolith's kernel; libc/ is what a domain has.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>

#define HEAP_BYTES     (64u << 20)
#define SYS_READ       0
#define SYS_WRITE      1
#define SYS_ARCH_PRCTL 158
#define SYS_EXIT_GROUP 231
#define ARCH_SET_FS    0x1002
#define PT_TLS         7

int main(int argc, char **argv);
void exit(int status);
void _exit(int status) __attribute__((noreturn));

static long host_call(long nr, long a1, long a2, long a3)
{
    long ret;

    asm volatile("syscall"
                 : "=a"(ret)
                 : "a"(nr), "D"(a1), "S"(a2), "d"(a3)
                 : "rcx", "r11", "memory");
    return ret;
}

void _exit(int status)
{
    for (;;)
        host_call(SYS_EXIT_GROUP, status, 0, 0);
}

int write(int fd, const void *bytes, size_t len)
{
    return (int)host_call(SYS_WRITE, fd, (long)bytes, (long)len);
}

int read(int fd, void *bytes, size_t len)
{
    return (int)host_call(SYS_READ, fd, (long)bytes, (long)len);
}

/* Zeroed memory, as newlib's malloc expects. */
void *sbrk(ptrdiff_t len)
{
    static char heap[HEAP_BYTES];
    static size_t used;
    void *start = heap + used;

    if (len > (ptrdiff_t)(HEAP_BYTES - used)) {
        errno = ENOMEM;
        return (void *)-1;
    }
    used += (size_t)len;
    return start;
}

static int refuse(void)
{
    errno = ENOSYS;
    return -1;
}

int close(int fd)
{
    (void)fd;
    return refuse();
}
int open(const char *path, int mode, ...)
{
    (void)path, (void)mode;
    return refuse();
}
long lseek(int fd, long offset, int whence)
{
    (void)fd, (void)offset, (void)whence;
    return refuse();
}
int kill(int pid, int signal)
{
    (void)pid;
    _exit(128 + signal);
}
int getpid(void)
{
    return 1;
}
int isatty(int fd)
{
    (void)fd;
    return 0;
}
int gettimeofday(struct timeval *tv, void *tz)
{
    (void)tv, (void)tz;
    return refuse();
}
int unlink(const char *path)
{
    (void)path;
    return refuse();
}
clock_t times(struct tms *tms)
{
    (void)tms;
    return (clock_t)refuse();
}

int fstat(int fd, struct stat *st)
{
    (void)fd;
    memset(st, 0, sizeof *st);
    st->st_mode = S_IFREG; /* buffered in full: a write per line takes longer than the test */
    return 0;
}

/* What a thread's %fs points to; the canary's place is fixed by the ABI. */
struct thread_block {
    struct thread_block *self;
    uint64_t unused[4];
    uint64_t canary; /* %fs:0x28 */
    uint64_t unused2[8];
    uint64_t stack_limit; /* %fs:0x70, what -fsplit-stack compares with; 0: never exceeded */
};

struct program_header { /* Elf64_Phdr */
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

extern const char __ehdr_start[]; /* the ELF header, from the linker */

/* The thread-local data ends where the thread block begins (System V ABI's variant II). */
__attribute__((no_stack_protector)) static void set_up_thread(void)
{
    static _Alignas(64) char area[8192];
    struct thread_block *block = (struct thread_block *)(area + sizeof area - 128);
    const struct program_header *ph;
    uint64_t table;
    uint16_t count;

    __builtin_memcpy(&table, __ehdr_start + 32, sizeof table);
    __builtin_memcpy(&count, __ehdr_start + 56, sizeof count);
    ph = (const struct program_header *)(__ehdr_start + table);
    for (; count; count--, ph++)
        if (ph->type == PT_TLS) {
            size_t len = (ph->memsz + ph->align - 1) & ~(ph->align - 1);

            memcpy((char *)block - len, (const void *)ph->vaddr, ph->filesz);
        }
    block->self = block;
    block->canary = 0x5bd1e995a7c3f100;
    host_call(SYS_ARCH_PRCTL, ARCH_SET_FS, (long)block, 0);
}

__attribute__((no_stack_protector, used)) static void start_c(long *stack)
{
    set_up_thread();
    exit(main((int)stack[0], (char **)(stack + 1)));
}

asm(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n call start_c\n hlt\n");

/* Called by code compiled with -fsplit-stack when the stack is exhausted. */
asm(".globl __morestack, __morestack_non_split, __morestack_allocate_stack_space\n"
    "__morestack: __morestack_non_split: __morestack_allocate_stack_space: ud2\n");

/* exit() calls these two, which a domain has for constructors. */
void _init(void)
{
}
void _fini(void)
{
}
