/* SPDX-License-Identifier: MIT
 *
 * Shutdown requests: the toolstack writes a word into control/shutdown, the guest takes it and
 * leaves "" in its place in one transaction, which is the acknowledgement, and then does it.  In a
 * thread of its own: nothing in a boot waits for it, and a request is not lost while xenstored does
 * not answer.  Follows Xen docs/misc/xenstore-paths.pandoc.
 */
#include "control/control.h"
#include <string.h>
#include "console/console.h"
#include "control/private.h"
#include "hypercall/sched.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "kernel/wait.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/xenstore.h"

#define DRAIN_NS           NS_PER_S
#define WATCH_AGAIN_MAX_NS (16 * NS_PER_S)

static struct signal asked = SIGNAL_INIT(asked); /* control/shutdown changed */

static void (*deliver_request)(enum control_request request);

static const struct {
    const char *word;
    enum control_request request;
} words[] = {
    { "poweroff", CONTROL_POWEROFF },
    { "reboot", CONTROL_REBOOT },
    { "halt", CONTROL_HALT },
};

/* Of these the toolstack lets a guest write feature-*: it tells XAPI what may be asked. */
static const char *const features[] = { "control/feature-poweroff", "control/feature-reboot" };

/* The word that is there, "" left in its place. `arg`: where the word goes, for kmem_free(). */
static int take_word(xenstore_tx_t tx, void *arg)
{
    char **word = arg;
    int rc;

    kmem_free(*word); /* of a try before this one */
    *word = NULL;
    rc = xenstore_read(tx, "control/shutdown", word, NULL);
    if (rc == 0 && **word)
        rc = xenstore_write(tx, "control/shutdown", "", 0);
    return rc;
}

/* 0, or -XEN_ETIMEDOUT: whether there was a request could not be learnt. */
static int take_request(void)
{
    char *word = NULL;
    int rc = xenstore_transaction(take_word, &word);

    if (rc && rc != -XEN_ENOENT && rc != -XEN_ETIMEDOUT) {
        log_warn("control/shutdown: not acknowledged: %s", error_name(rc));
    } else if (rc == 0 && *word) {
        enum control_request request = CONTROL_NONE;

        for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
            if (strcmp(word, words[i].word) == 0)
                request = words[i].request;
        }
        if (request == CONTROL_NONE)
            log_warn("control/shutdown: '%.40s' is not known here; acknowledged, not done", word);
        else
            deliver_request(request);
    }
    kmem_free(word);
    return rc == -XEN_ETIMEDOUT ? rc : 0;
}

int control_watch(struct xenstore_watch *watch)
{
    uint64_t again_ns = CONTROL_AGAIN_NS;
    int rc;

    while ((rc = xenstore_watch(watch)) == -XEN_ETIMEDOUT) {
        if (again_ns == CONTROL_AGAIN_NS)
            log_warn("%s: not watched yet: xenstored does not answer", watch->path);
        thread_sleep_until(time_after_ns(again_ns));
        again_ns = MIN(2 * again_ns, WATCH_AGAIN_MAX_NS);
    }
    return rc;
}

static void shutdown_changed(struct xenstore_watch *watch, const char *path)
{
    (void)watch;
    (void)path;
    signal_raise(&asked);
}

/* A feature is a hint for one toolstack: not worth a second try. */
static void publish_features(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
        int rc = xenstore_write(XBT_NIL, features[i], "1", 1);

        if (rc)
            log_warn("%s: not written: %s", features[i], error_name(rc));
    }
}

static void follow(void *unused)
{
    static struct xenstore_watch watch = { .path = "control/shutdown", .fn = shutdown_changed };
    uint64_t deadline_ns = TIME_NEVER;
    int rc = control_watch(&watch);

    (void)unused;
    if (rc)
        log_error("control/shutdown: not watched: %s; xl shutdown and xl reboot will not work",
                  error_name(rc));
    else
        publish_features();
    control_watch_vcpus();
    /* From here on before programs that compute; not before, as they need not wait for this. */
    thread_set_priority(current_thread(), PRIORITY_HIGH, false);
    for (;;) {
        signal_wait(&asked, deadline_ns);
        deadline_ns = take_request() ? time_after_ns(CONTROL_AGAIN_NS) : TIME_NEVER;
    }
}

int control_init(void (*deliver)(enum control_request request))
{
    struct thread *thread;
    int rc;

    deliver_request = deliver;
    rc = thread_create(&thread, "control", KERNEL_STACK_ORDER, PRIORITY_NORMAL, follow, NULL);
    if (rc == 0)
        thread_detach(thread);
    return rc;
}

void control_shutdown(unsigned int reason)
{
    console_drain(time_after_ns(DRAIN_NS));
    for (;;)
        hypercall_sched_shutdown(reason);
}
