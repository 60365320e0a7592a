/* SPDX-License-Identifier: MIT
 *
 * The C library's glue: what newlib asks of the kernel.  (newlib's own printf, strtod and so on are
 * compared line by line with another C library in tests/libc/.)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "libc/error.h"
#include "selftest.h"

static unsigned int constructors;

__attribute__((constructor(101))) static void first(void)
{
    constructors = 1;
}

__attribute__((constructor(102))) static void second(void)
{
    constructors = constructors * 10 + 2;
}

__attribute__((constructor)) static void third(void)
{
    constructors = constructors * 10 + 3;
}

TEST(libc_constructors_ran_in_order)
{
    CHECK_EQ(constructors, 123);
}

TEST(libc_printf_scanf_numbers)
{
    char text[200], *rest;
    long long big;
    double real;
    size_t size;

    snprintf(text, sizeof(text), "%zu %lld %jx %.17g %a %Lg %5.1e|%-6s|%+d", (size_t)-1,
             -9000000000000000000LL, (uintmax_t)1 << 63, 0.1, 1.5, 1.25L, 12345.678, "ab", 5);
    CHECK_EQ(strtoull(text, &rest, 10), SIZE_MAX);
    CHECK_EQ(strcmp(rest, " -9000000000000000000 8000000000000000 "
                          "0.10000000000000001 0x1.8p+0 1.25 1.2e+04|ab    |+5"),
             0);
    CHECK_EQ(sscanf("123456789012345 2.5e-3 77", "%lld %lf %zu", &big, &real, &size), 3);
    CHECK_EQ(big, 123456789012345);
    CHECK(real == 2.5e-3);
    CHECK_EQ(size, 77);
    CHECK(strtod("1.7976931348623157e308", NULL) == 1.7976931348623157e308);
}

static void jump(jmp_buf where, int value)
{
    longjmp(where, value);
}

TEST(libc_setjmp_longjmp)
{
    volatile int turns = 0;
    jmp_buf where;
    int value = setjmp(where);

    turns++;
    if (value < 3)
        jump(where, value + 1);
    CHECK_EQ(value, 3);
    CHECK_EQ(turns, 4);
}

TEST(libc_clocks_agree)
{
    struct timespec mono, mono2, wall;
    struct timeval tv;
    struct tms cpu;
    clock_t before;

    REQUIRE_EQ(clock_gettime(CLOCK_MONOTONIC, &mono), 0);
    REQUIRE_EQ(clock_gettime(CLOCK_REALTIME, &wall), 0);
    REQUIRE_EQ(gettimeofday(&tv, NULL), 0);
    CHECK(wall.tv_sec > 1577836800); /* 2020 */
    CHECK(tv.tv_sec - wall.tv_sec >= 0 && tv.tv_sec - wall.tv_sec < 100);
    CHECK(time(NULL) - wall.tv_sec >= 0 && time(NULL) - wall.tv_sec < 100);
    CHECK_EQ(nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL), 0);
    CHECK_EQ(usleep(1000), 0);
    CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &mono2), 0);
    CHECK((mono2.tv_sec - mono.tv_sec) * 1000000000L + mono2.tv_nsec - mono.tv_nsec >= 4000000);
    CHECK_EQ(nanosleep(&(struct timespec){ .tv_nsec = 1000000000 }, NULL), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(clock_gettime(77, &mono), -1);
    CHECK_EQ(errno, EINVAL);

    before = clock();
    CHECK(times(&cpu) != (clock_t)-1);
    for (uint64_t end_ns = time_after_ns(30 * NS_PER_MS); time_now_ns() < end_ns;)
        ;
    CHECK(clock() > before); /* 30 ms of work */
}

TEST(libc_local_time_is_utc)
{
    time_t when = 1000000000;
    struct tm tm;
    char text[40];

    REQUIRE(localtime_r(&when, &tm) != NULL);
    CHECK(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %a", &tm) > 0);
    CHECK_EQ(strcmp(text, "2001-09-09 01:46:40 Sun"), 0);
    CHECK_EQ(mktime(&tm), when);
}

TEST(libc_unsupported_is_enosys)
{
    int fds[2], status;

#define ENOSYS_CHECK(call)                                                                         \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK_EQ(call, -1);                                                                        \
        CHECK_EQ(errno, ENOSYS);                                                                   \
    } while (0)
    ENOSYS_CHECK(pipe(fds));
    ENOSYS_CHECK(fork());
    ENOSYS_CHECK(execve("a", NULL, NULL));
    ENOSYS_CHECK(wait(&status));
    ENOSYS_CHECK(system("ls"));
}

/* What a domain without modules has; with them: tests/xen/modules.sh. */
TEST(libc_no_files)
{
    struct stat st;
    DIR *dir = opendir("/");

#define ERRNO_CHECK(call, error)                                                                   \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK_EQ(call, -1);                                                                        \
        CHECK_EQ(errno, error);                                                                    \
    } while (0)
    CHECK_EQ(stat("/", &st), 0);
    CHECK(S_ISDIR(st.st_mode));
    REQUIRE(dir != NULL);
    CHECK(readdir(dir) == NULL);
    CHECK_EQ(closedir(dir), 0);
    ERRNO_CHECK(open("/etc/passwd", O_RDONLY), ENOENT);
    ERRNO_CHECK(open("new", O_WRONLY | O_CREAT, 0666), EROFS);
    ERRNO_CHECK(open("/", O_RDWR), EISDIR);
    ERRNO_CHECK(open("", O_RDONLY), ENOENT);
    ERRNO_CHECK(link("a", "b"), ENOENT);
    ERRNO_CHECK(unlink("a"), ENOENT);
    ERRNO_CHECK(rename("a", "b"), ENOENT);
    ERRNO_CHECK(mkdir("a", 0777), EROFS);
    ERRNO_CHECK(mkdir("/", 0777), EEXIST);
    ERRNO_CHECK(access("a", R_OK), ENOENT);
    ERRNO_CHECK(access("/", W_OK), EROFS);
    ERRNO_CHECK(lseek(1, 0, SEEK_SET), ESPIPE);
    errno = 0;
    CHECK(fopen("file", "r") == NULL);
    CHECK_EQ(errno, ENOENT);
}

TEST(libc_errno_from_xen)
{
    CHECK_EQ(error_from_xen(-XEN_ENOENT), ENOENT);
    CHECK_EQ(error_from_xen(-XEN_ENOSYS), ENOSYS);
    CHECK_EQ(error_from_xen(XEN_ETIMEDOUT), ETIMEDOUT);
    CHECK_EQ(error_from_xen(-XEN_EPROTO), EPROTO);
    CHECK_EQ(error_from_xen(-9999), EIO);
    CHECK_EQ(error_return(-XEN_EOPNOTSUPP), -1);
    CHECK_EQ(errno, EOPNOTSUPP);
    CHECK_EQ(error_return(5), 5);
}

static volatile int signalled;

static void on_signal(int signal)
{
    signalled = signal;
}

TEST(libc_signals_to_self)
{
    CHECK(signal(SIGUSR1, on_signal) != SIG_ERR);
    CHECK_EQ(raise(SIGUSR1), 0);
    CHECK_EQ(signalled, SIGUSR1);
    CHECK_EQ(kill(getpid(), 0), 0);
    CHECK_EQ(kill(getpid() + 1, SIGKILL), -1);
    CHECK_EQ(errno, ESRCH);
    CHECK_EQ(kill(getpid(), 1000), -1);
    CHECK_EQ(errno, EINVAL);
}

TEST(libc_getentropy_differs)
{
    unsigned char a[32] = { 0 }, b[32] = { 0 }, large[257];

    if (getentropy(a, sizeof(a)) == -1 && errno == ENOSYS) {
        test_skip("the CPU has no random numbers");
        return;
    }
    CHECK_EQ(getentropy(a, sizeof(a)), 0);
    CHECK_EQ(getentropy(b, sizeof(b)), 0);
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK_EQ(getentropy(large, sizeof(large)), -1);
    CHECK_EQ(errno, EIO);
    CHECK_EQ(sysconf(_SC_PAGESIZE), 4096);
    CHECK(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    CHECK(sysconf(_SC_PHYS_PAGES) > sysconf(_SC_AVPHYS_PAGES));
    CHECK_EQ(sysconf(9999), -1);
}

static void use_heap(void *arg)
{
    unsigned char *blocks[16] = { NULL };
    unsigned int state = (unsigned int)(uintptr_t)arg;

    for (int i = 0; i < 2000; i++) {
        size_t slot, size;

        state = state * 1103515245 + 12345;
        slot = state >> 16 & 15;
        size = 1 + (state >> 20 & 2047);
        if (blocks[slot]) {
            CHECK_EQ(blocks[slot][0], slot);
            free(blocks[slot]);
        }
        blocks[slot] = malloc(size);
        if (!CHECK(blocks[slot] != NULL))
            break;
        memset(blocks[slot], (int)slot, size);
        if (i % 64 == 0)
            thread_yield();
    }
    for (int i = 0; i < 16; i++)
        free(blocks[i]);
}

TEST(libc_malloc_from_many_threads)
{
    struct thread *threads[4];
    size_t before = mallinfo().uordblks;

    REQUIRE_THREADS(4);
    for (uintptr_t i = 0; i < 4; i++)
        REQUIRE_EQ(xenolith_thread(&threads[i], "heap", use_heap, (void *)(i + 1)), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    CHECK_EQ(mallinfo().uordblks, before);
}

static void free_all(void *arg)
{
    void **blocks = arg;

    for (int i = 0; i < 300; i++)
        free(blocks[i]);
}

TEST(libc_blocks_freed_by_another_thread)
{
    static unsigned char *blocks[300];
    struct thread *thread;
    size_t before;

    REQUIRE_THREADS(1);
    before = mallinfo().uordblks;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 300; i++) {
            blocks[i] = malloc(i);
            REQUIRE(blocks[i] != NULL);
            memset(blocks[i], (int)i, i);
        }
        for (size_t i = 1; i < 300; i++)
            CHECK(blocks[i][0] == (unsigned char)i && blocks[i][i - 1] == (unsigned char)i);
        REQUIRE_EQ(xenolith_thread(&thread, "free", free_all, blocks), 0);
        CHECK_EQ(thread_join(thread, TIME_NEVER), 0);
    }
    CHECK(mallinfo().uordblks <= before); /* less: what we had kept ourselves went too */
}

/* Of any length, from and to any place; nothing beside it is written. */
TEST(libc_memcpy_everywhere)
{
    static unsigned char from[700], to[700], want[700];

    for (size_t i = 0; i < sizeof(from); i++)
        from[i] = (unsigned char)(i * 7 + i / 251);
    for (size_t len = 0; len < 600; len += len < 200 ? 1 : 37) {
        for (size_t place = 0; place < 256; place++) {
            size_t source = place % 16, target = place / 16;

            memset(to, 0xa5, sizeof(to));
            memset(want, 0xa5, sizeof(want));
            for (size_t i = 0; i < len; i++)
                want[target + i] = from[source + i];
            if (!CHECK(memcpy(to + target, from + source, len) == to + target) ||
                !CHECK(memcmp(to, want, sizeof(to)) == 0)) {
                printf("# %zu bytes from %zu to %zu\n", len, source, target);
                return;
            }
        }
    }
}

static void print_floats(void *arg)
{
    char text[40];

    (void)arg;
    for (int i = 0; i < 20; i++)
        snprintf(text, sizeof(text), "%.15g %Lg", 1.0 / (i + 3), 1.0L / (i + 7));
}

TEST(libc_threads_leave_no_heap_behind)
{
    struct thread *thread;
    size_t before = 0;

    REQUIRE_THREADS(1);
    for (int i = 0; i < 4; i++) {
        REQUIRE_EQ(xenolith_thread(&thread, "floats", print_floats, NULL), 0);
        CHECK_EQ(thread_join(thread, TIME_NEVER), 0);
        if (i == 0)
            before = mallinfo().uordblks;
    }
    CHECK_EQ(mallinfo().uordblks, before);
}
