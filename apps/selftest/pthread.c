/* SPDX-License-Identifier: MIT
 *
 * POSIX threads: beginning, end, attributes, keys, once, cancellation.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <threads.h>
#include <unistd.h>
#include "lib/atomic.h"
#include "mm/page.h"
#include "selftest.h"

static void *add_one(void *arg)
{
    return (char *)arg + 1;
}

TEST(pthread_small_things_of_posix)
{
    void *block = calloc(3, 100); /* once a loop that called itself */

    CHECK(block != NULL);
    free(block);
    CHECK_EQ(posix_memalign(&block, 3, 100), EINVAL);
    REQUIRE_EQ(posix_memalign(&block, 4096, 100), 0);
    CHECK_EQ((unsigned long)block % 4096, 0);
    free(block);
    CHECK_EQ(sysconf(_SC_THREADS), _POSIX_THREADS);
    CHECK_EQ(sysconf(_SC_TIMER_MAX), TIMER_MAX);
    CHECK_EQ(sysconf(9999), -1);
}

static void __attribute__((noinline)) leave(void *result)
{
    pthread_exit(result);
}

static void *leave_deep(void *arg)
{
    leave(arg);
    return NULL;
}

TEST(pthread_result_by_return_and_by_exit)
{
    pthread_t thread;
    void *result;

    REQUIRE_EQ(pthread_create(&thread, NULL, add_one, (void *)41), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((long)result, 42);
    CHECK_EQ(pthread_join(thread, &result), ESRCH);
    CHECK_EQ(pthread_detach(thread), ESRCH);
    CHECK_EQ(pthread_cancel(thread), ESRCH);
    REQUIRE_EQ(pthread_create(&thread, NULL, leave_deep, (void *)7), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK_EQ((long)result, 7);
    CHECK_EQ(pthread_join(pthread_self(), NULL), EDEADLK);
}

TEST(pthread_many_leave_no_memory_behind)
{
    struct page_stats before, after;
    pthread_attr_t attr;
    pthread_t thread;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 300; i++) {
        if (i == 100)
            page_get_stats(&before); /* what is made once is there by now */
        REQUIRE_EQ(pthread_create(&thread, NULL, add_one, NULL), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        REQUIRE_EQ(pthread_create(&thread, i & 1 ? &attr : NULL, add_one, NULL), 0);
        if (!(i & 1))
            CHECK_EQ(pthread_detach(thread), 0);
        if (i % 10 == 0)
            test_sleep_ms(1);
    }
    test_sleep_ms(20);
    page_get_stats(&after);
    CHECK(after.free + 64 >= before.free);
}

/* Recurses until about `depth` bytes are in use; the sum keeps the frames. */
static unsigned int __attribute__((noinline)) use_stack(long depth)
{
    volatile char frame[1024];

    frame[0] = (char)depth;
    return depth > 1024 ? use_stack(depth - 1200) + (unsigned char)frame[0] : 0;
}

static char own_stack[256 * 1024] __attribute__((aligned(16)));
static unsigned int on_own_stack;

static void *use_much_stack(void *arg)
{
    char here;

    use_stack((long)arg);
    on_own_stack = &here > own_stack && &here < own_stack + sizeof(own_stack);
    return NULL;
}

TEST(pthread_stack_as_asked_for)
{
    pthread_attr_t attr;
    pthread_t thread;
    size_t size;

    pthread_attr_init(&attr);
    CHECK_EQ(pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN - 1), EINVAL);
    CHECK_EQ(pthread_attr_setstacksize(&attr, 256 * 1024), 0);
    CHECK_EQ(pthread_attr_getstacksize(&attr, &size), 0);
    CHECK_EQ(size, 256 * 1024);
    REQUIRE_EQ(pthread_create(&thread, &attr, use_much_stack, (void *)(200 * 1024)), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(!on_own_stack);
    CHECK_EQ(pthread_attr_setstack(&attr, own_stack, sizeof(own_stack)), 0);
    REQUIRE_EQ(pthread_create(&thread, &attr, use_much_stack, (void *)(200 * 1024)), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK(on_own_stack);
    CHECK_EQ(pthread_attr_destroy(&attr), 0);
    CHECK_EQ(pthread_create(&thread, &attr, add_one, NULL), EINVAL);
}

static void *is_aligned(void *arg)
{
    _Alignas(2 * sizeof(void *)) char here[2 * sizeof(void *)];
    uintptr_t at = (uintptr_t)here;

    asm("" : "+r"(at)); /* the compiler takes it for granted */
    CHECK_EQ(at % sizeof(here), 0);
    return add_one(arg);
}

TEST(pthread_stack_at_any_address)
{
    pthread_attr_t attr;
    pthread_t thread;
    void *result;

    pthread_attr_init(&attr);
    for (unsigned int odd = 0; odd < 16; odd += 3) {
        CHECK_EQ(pthread_attr_setstack(&attr, own_stack + odd, PTHREAD_STACK_MIN + odd), 0);
        REQUIRE_EQ(pthread_create(&thread, &attr, is_aligned, (void *)41), 0);
        CHECK_EQ(pthread_join(thread, &result), 0);
        CHECK_EQ((long)result, 42);
    }
}

static pthread_key_t keys[2];
static unsigned int destroyed[2];

static void destroy_first(void *value)
{
    CHECK(value == &keys[0]);
    destroyed[0]++;
    pthread_setspecific(keys[1], &keys[1]); /* another round */
}

static void destroy_second(void *value)
{
    CHECK(value == &keys[1]);
    if (++destroyed[1] < 10)
        pthread_setspecific(keys[1], value); /* for ever, if nobody counts */
}

static void *use_keys(void *unused)
{
    (void)unused;
    CHECK(pthread_getspecific(keys[0]) == NULL);
    CHECK_EQ(pthread_setspecific(keys[0], &keys[0]), 0);
    CHECK(pthread_getspecific(keys[0]) == &keys[0]);
    return NULL;
}

TEST(pthread_keys_have_destructors)
{
    pthread_t thread;

    REQUIRE_EQ(pthread_key_create(&keys[0], destroy_first), 0);
    REQUIRE_EQ(pthread_key_create(&keys[1], destroy_second), 0);
    pthread_setspecific(keys[0], &thread);
    REQUIRE_EQ(pthread_create(&thread, NULL, use_keys, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(destroyed[0], 1);
    CHECK(destroyed[1] >= PTHREAD_DESTRUCTOR_ITERATIONS - 1 &&
          destroyed[1] <= PTHREAD_DESTRUCTOR_ITERATIONS);
    CHECK(pthread_getspecific(keys[0]) == &thread);
    CHECK_EQ(pthread_key_delete(keys[0]), 0);
    CHECK_EQ(pthread_key_delete(keys[1]), 0);
    CHECK_EQ(pthread_setspecific(keys[0], NULL), EINVAL);
    REQUIRE_EQ(pthread_key_create(&keys[0], NULL), 0);
    CHECK(pthread_getspecific(keys[0]) == NULL); /* not the old one's */
    pthread_key_delete(keys[0]);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned int routines;

static void slow_routine(void)
{
    test_sleep_ms(5);
    atomic_fetch_add(&routines, 1);
}

static void *call_it_once(void *unused)
{
    (void)unused;
    CHECK_EQ(pthread_once(&once, slow_routine), 0);
    CHECK_EQ(load_once(&routines), 1);
    return NULL;
}

TEST(pthread_once_is_once)
{
    pthread_t threads[4];

    REQUIRE_THREADS(4);
    for (size_t i = 0; i < 4; i++)
        REQUIRE_EQ(pthread_create(&threads[i], NULL, call_it_once, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
}

/* -- Cancellation ---------------------------------------------------------------------------- */

static sem_t begun, never;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static unsigned int cleaned;

static void clean(void *arg)
{
    cleaned = cleaned * 10 + (unsigned int)(long)arg;
}

static void give_back(void *arg)
{
    CHECK_EQ(pthread_mutex_unlock(arg), 0); /* EPERM if the wait had not taken it again */
}

static void *wait_in_semaphore(void *unused)
{
    (void)unused;
    sem_post(&begun);
    sem_wait(&never);
    return NULL;
}

static void *wait_in_sleep(void *unused)
{
    (void)unused;
    sem_post(&begun);
    sleep(1000);
    return NULL;
}

static void *wait_in_condition(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(give_back, &mutex);
    sem_post(&begun);
    for (;;)
        pthread_cond_wait(&cond, &mutex);
    pthread_cleanup_pop(1);
    return NULL;
}

static void *wait_in_join(void *thread)
{
    sem_post(&begun);
    pthread_join((pthread_t)thread, NULL);
    return NULL;
}

static void *compute(void *unused)
{
    static volatile unsigned long n;

    (void)unused;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    sem_post(&begun);
    for (;;)
        n++;
    return NULL;
}

static void *with_handlers(void *fn)
{
    void *result;

    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)2);
    result = ((void *(*)(void *))fn)(NULL);
    pthread_cleanup_pop(0);
    pthread_cleanup_pop(0);
    return result;
}

static void cancel_one(void *(*fn)(void *arg))
{
    pthread_t thread;
    void *result = NULL;

    cleaned = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, with_handlers, (void *)fn), 0);
    sem_wait(&begun);
    test_sleep_ms(2);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(cleaned, 21);
}

TEST(pthread_cancel_ends_waiting_and_computing)
{
    pthread_t sleeper, joiner;
    void *result = NULL;

    sem_init(&begun, 0, 0);
    sem_init(&never, 0, 0);
    cancel_one(wait_in_semaphore);
    cancel_one(wait_in_sleep);
    cancel_one(wait_in_condition);
    CHECK_EQ(pthread_mutex_trylock(&mutex), 0);
    CHECK_EQ(pthread_mutex_unlock(&mutex), 0);
    cancel_one(compute);
    REQUIRE_EQ(pthread_create(&sleeper, NULL, wait_in_sleep, NULL), 0);
    REQUIRE_EQ(pthread_create(&joiner, NULL, wait_in_join, (void *)sleeper), 0);
    sem_wait(&begun);
    sem_wait(&begun);
    test_sleep_ms(2);
    CHECK_EQ(pthread_cancel(joiner), 0);
    CHECK_EQ(pthread_join(joiner, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(pthread_cancel(sleeper), 0); /* it can still be joined */
    CHECK_EQ(pthread_join(sleeper, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
}

static unsigned int passed_first;

static void *disabled_for_a_while(void *unused)
{
    int before;

    (void)unused;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    CHECK_EQ(before, PTHREAD_CANCEL_ENABLE);
    sem_post(&begun);
    test_sleep_ms(10);
    usleep(1000);
    pthread_testcancel();
    store_once(&passed_first, 1);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    sem_wait(&never);
    return NULL;
}

TEST(pthread_cancel_waits_until_enabled)
{
    pthread_t thread;
    void *result = NULL;

    passed_first = 0;
    REQUIRE_EQ(pthread_create(&thread, NULL, disabled_for_a_while, NULL), 0);
    sem_wait(&begun);
    CHECK_EQ(pthread_cancel(thread), 0);
    CHECK_EQ(pthread_join(thread, &result), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK_EQ(passed_first, 1);
}

static once_flag c11_once = ONCE_FLAG_INIT;
static tss_t c11_key;
static mtx_t c11_mutex;
static cnd_t c11_cond;
static int c11_state;

static void c11_init(void)
{
    tss_create(&c11_key, NULL);
}

static int c11_run(void *arg)
{
    call_once(&c11_once, c11_init);
    tss_set(c11_key, arg);
    mtx_lock(&c11_mutex);
    c11_state = 1;
    cnd_signal(&c11_cond);
    mtx_unlock(&c11_mutex);
    return tss_get(c11_key) == arg ? 5 : 6;
}

TEST(pthread_c11_threads)
{
    struct timespec past = { 0 };
    thrd_t thread;
    int result = 0;

    REQUIRE_EQ(mtx_init(&c11_mutex, mtx_timed), thrd_success);
    REQUIRE_EQ(cnd_init(&c11_cond), thrd_success);
    mtx_lock(&c11_mutex);
    CHECK_EQ(cnd_timedwait(&c11_cond, &c11_mutex, &past), thrd_timedout);
    REQUIRE_EQ(thrd_create(&thread, c11_run, &result), thrd_success);
    while (!c11_state)
        CHECK_EQ(cnd_wait(&c11_cond, &c11_mutex), thrd_success);
    mtx_unlock(&c11_mutex);
    CHECK_EQ(thrd_join(thread, &result), thrd_success);
    CHECK_EQ(result, 5);
    cnd_destroy(&c11_cond);
    mtx_destroy(&c11_mutex);
}
