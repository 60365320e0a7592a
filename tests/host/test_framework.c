/* SPDX-License-Identifier: MIT
 *
 * The fakes themselves: what the other tests stand on.
 */
#include "kernel/mutex.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "hypercall/event_channel.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mm/address_space.h"
#include "mm/page.h"
#include "tests/host/test.h"

TEST(map_frames_aliases_the_page)
{
    unsigned long *page = pages_alloc(0), *alias = vspace_alloc(1);
    mfn_t frame = virt_to_mfn(page);

    CHECK_EQ(map_frames(alias, &frame, 1, MAP_WRITE), 0);
    page[3] = 42;
    CHECK_EQ(alias[3], 42);
    CHECK_NE(virt_to_pfn(page).n, frame.n);
    pages_free(page, 0);
    CHECK_EQ(fake_alloc_live(), 0);
}

TEST(alloc_fails_after_n)
{
    fake_alloc_fail_after(1);
    CHECK(pages_alloc(0) != NULL);
    CHECK(pages_alloc(0) == NULL);
}

TEST(panic_is_caught)
{
    CHECK_ENDS_DOMAIN(panic("out of %s", "tea"));
    CHECK_STR(fake_xen.last_words, "panic: out of tea");
}

TEST(log_is_seen)
{
    log_error("port %u is odd", 7);
    CHECK_EQ(fake_logged("port 7 is odd"), 1);
}

TEST(hypercall_hook_lies)
{
    evtchn_port_t port;

    CHECK_EQ(hypercall_evtchn_alloc_unbound(0, &port), 0);
    CHECK(fake_port_is_open(port));
    CHECK_EQ(hypercall_evtchn_send(999), -XEN_EINVAL);
    CHECK_EQ(fake_hypercalls(__HYPERVISOR_event_channel_op, EVTCHNOP_send), 1);
}

static struct semaphore ready = SEMAPHORE_INIT(ready, 0);
static struct mutex mutex = MUTEX_INIT(mutex);
static unsigned int counter;

static void count_up(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < 1000; i++) {
        mutex_lock(&mutex);
        counter++;
        mutex_unlock(&mutex);
    }
    semaphore_post(&ready);
}

TEST(threads_exclude_each_other)
{
    struct thread *a, *b;

    upcalls_enable();
    CHECK_EQ(thread_create(&a, "a", 0, PRIORITY_NORMAL, count_up, NULL), 0);
    CHECK_EQ(thread_create(&b, "b", 0, PRIORITY_NORMAL, count_up, NULL), 0);
    CHECK_EQ(semaphore_wait(&ready, TIME_NEVER), 0);
    CHECK_EQ(semaphore_wait(&ready, TIME_NEVER), 0);
    CHECK_EQ(thread_join(a, TIME_NEVER), 0);
    CHECK_EQ(thread_join(b, TIME_NEVER), 0);
    CHECK_EQ(counter, 2000);
    CHECK_EQ(semaphore_wait(&ready, time_after_ns(2 * NS_PER_MS)), -XEN_ETIMEDOUT);
}

static void post(void *arg)
{
    semaphore_post(arg);
}

TEST(timer_fires)
{
    struct timer timer;

    upcalls_enable();
    timer_init(&timer, post, &ready);
    timer_arm(&timer, time_after_ns(100 * NS_PER_S));
    CHECK_EQ(semaphore_wait(&ready, time_after_ns(5 * NS_PER_MS)), -XEN_ETIMEDOUT);
    fake_time_skip(100 * NS_PER_S);
    CHECK_EQ(semaphore_wait(&ready, TIME_NEVER), 0);
    CHECK(!timer_cancel(&timer));
}
