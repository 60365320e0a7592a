/* SPDX-License-Identifier: MIT
 *
 * The ends a program can take, one for each argument: what the console then says and what the
 * toolstack does is what the tests look at.  `crash exit N` is the plain one.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/panic.h"
#include "mm/page.h"
#include "xenolith.h"

/* Compilers warn of what they can see through. */
static volatile uintptr_t bad_address = 8;
static volatile bool for_ever = true;

static void null(void)
{
    *(volatile int *)bad_address = 1;
}

static void jump_null(void)
{
    ((void (*)(void))(bad_address - 8))();
}

__attribute__((noinline)) static int recurse(volatile char *above)
{
    volatile char frame[500];

    frame[0] = above[0];
    return (for_ever ? recurse(frame) : 0) + frame[0];
}

static void stack(void)
{
    volatile char start = 1;

    printf("%d\n", recurse(&start));
}

static void stack_in_thread(void *unused)
{
    (void)unused;
    stack();
}

static void thread_stack(void)
{
    struct thread *thread;

    if (thread_create(&thread, "deep", THREAD_STACK_ORDER, PRIORITY_NORMAL, stack_in_thread,
                      NULL) == 0)
        thread_join(thread, TIME_NEVER);
}

static void text(void)
{
    *(volatile char *)(uintptr_t)text = 0;
}

static void rodata(void)
{
    static const char constant[] = "constant";

    *(volatile char *)(uintptr_t)constant = 0;
}

static unsigned char code[16] = { 0xc3 }; /* ret */

static void execute_data(void)
{
    ((void (*)(void))(uintptr_t)code)();
}

static void execute_heap(void)
{
    unsigned char *heap = malloc(16);

    if (heap) {
        heap[0] = 0xc3;
        ((void (*)(void))(uintptr_t)heap)();
        free(heap);
    }
}

static void execute_stack(void)
{
    volatile unsigned char here[16] = { 0xc3 };

    ((void (*)(void))(uintptr_t)here)();
}

/* On ARM the address that a vCPU begins at. On x86 nothing is at such an address, or something
 * else. */
static void execute_physical(void)
{
    ((void (*)(void))(uintptr_t)(virt_to_pfn((void *)(uintptr_t)text).n << PAGE_SHIFT))();
}

__attribute__((noinline)) static void fill(volatile char *where, size_t len)
{
    for (size_t i = 0; i < len; i++)
        where[i] = 'x';
}

static void smash(void)
{
    volatile char small[16];

    fill(small, sizeof(small) + 16);
}

static void free_twice(void)
{
    void *block = malloc(20), *other = malloc(20), *again = block;

    asm("" : "+r"(again)); /* or the compiler sees it coming */
    free(block);
    free(other);
    free(again);
}

static void invalid(void)
{
    __builtin_trap();
}

static void divide(void)
{
    volatile int one = 1;

    printf("%d\n", one / (int)(bad_address - 8));
}

static void assertion(void)
{
    assert(1 + 1 == 3);
}

/* The second panic comes from a fault inside the report of the first: %s of a bad address. */
static void nested(void)
{
    panic("first panic, with %s", (const char *)bad_address);
}

static void panicking(void)
{
    panic("asked to");
}

static void heap(void)
{
    size_t total = 0;
    void *block;

    while ((block = malloc(65536)) != NULL) {
        memset(block, 1, 65536);
        total += 65536;
    }
    printf("heap full after %zu KiB\n", total / 1024);
    exit(0);
}

static void in_handler(evtchn_port_t port, void *arg)
{
    (void)port, (void)arg;
    null();
}

static void upcall(void)
{
    evtchn_port_t port;

    if (event_bind_ipi(0, in_handler, NULL, &port) == 0)
        event_notify(port);
}

static void spin(void)
{
    for (;;)
        ;
}

static void sleep_forever(void)
{
    printf("sleeping\n");
    for (;;)
        thread_sleep_until(TIME_NEVER);
}

static const char *request_name(enum control_request request)
{
    return request == CONTROL_POWEROFF ? "poweroff" : request == CONTROL_REBOOT ? "reboot" : "halt";
}

static struct semaphore told;
static enum control_request told_request;

static void on_request(enum control_request request, void *arg)
{
    told_request = request;
    semaphore_post(arg);
}

/* The two ways to end by oneself when the toolstack asks. */
static void callback(void)
{
    semaphore_init(&told, 0);
    xenolith_on_shutdown(on_request, &told);
    printf("waiting\n");
    semaphore_wait(&told, TIME_NEVER);
    printf("told: %s\n", request_name(told_request));
    exit(0);
}

static void poll(void)
{
    enum control_request request;

    xenolith_shutdown_requested();
    printf("waiting\n");
    while ((request = xenolith_shutdown_requested()) == CONTROL_NONE)
        thread_sleep_until(time_after_ns(10 * NS_PER_MS));
    printf("seen: %s\n", request_name(request));
    exit(0);
}

static void say_bye(void)
{
    printf("atexit handler ran\n");
}

/* More handlers than newlib keeps in one block, and a reader that owns stdin's lock. */
static unsigned int handlers;

static void count_handler(void)
{
    handlers++;
}

static void print_handlers(void)
{
    printf("%u handlers ran\n", handlers);
}

static void read_input(void *unused)
{
    (void)unused;
    getchar();
}

static void exit_busy(void)
{
    struct thread *thread;

    atexit(print_handlers);
    for (int i = 0; i < 100; i++)
        atexit(count_handler);
    if (thread_create(&thread, "reader", THREAD_STACK_ORDER, PRIORITY_NORMAL, read_input, NULL) ==
        0)
        thread_sleep_until(time_after_ns(10 * NS_PER_MS));
    printf("no newline at the end");
    exit(0);
}

static const struct {
    const char *name;
    void (*fn)(void);
} ways[] = {
    { "null", null },
    { "jump-null", jump_null },
    { "stack", stack },
    { "thread-stack", thread_stack },
    { "text", text },
    { "rodata", rodata },
    { "execute-data", execute_data },
    { "execute-heap", execute_heap },
    { "execute-stack", execute_stack },
    { "execute-physical", execute_physical },
    { "smash", smash },
    { "free-twice", free_twice },
    { "invalid", invalid },
    { "divide", divide },
    { "abort", abort },
    { "assert", assertion },
    { "panic", panicking },
    { "nested", nested },
    { "upcall", upcall },
    { "heap", heap },
    { "spin", spin },
    { "sleep", sleep_forever },
    { "callback", callback },
    { "poll", poll },
    { "exit-busy", exit_busy },
};

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "exit") == 0)
        return atoi(argv[2]);
    for (size_t i = 0; argc == 2 && i < ARRAY_SIZE(ways); i++) {
        if (strcmp(argv[1], ways[i].name) == 0) {
            atexit(say_bye);
            printf("crash: %s\n", argv[1]);
            ways[i].fn();
            printf("crash: %s: still alive\n", argv[1]);
            return 3;
        }
    }
    printf("usage: crash exit N, or one of:");
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
        printf(" %s", ways[i].name);
    printf("\n");
    return 2;
}
