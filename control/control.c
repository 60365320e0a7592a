/* SPDX-License-Identifier: MIT
 *
 * Shutdown requests: the toolstack writes a word into control/shutdown, the guest takes it and
 * leaves "" in its place in one transaction, which is the acknowledgement, and then does it.  Set
 * up in a thread of its own, because nothing in a boot waits for it.  Follows Xen
 * docs/misc/xenstore-paths.pandoc.
 */
#include "control/control.h"
#include <string.h>
#include "console/console.h"
#include "hypercall/sched.h"
#include "kernel/thread.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "xenbus/xenstore.h"

#define DRAIN_NS NS_PER_S

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

static void shutdown_changed(struct xenstore_watch *watch, const char *path)
{
    char *word = NULL;
    int rc = xenstore_transaction(take_word, &word);

    (void)watch;
    (void)path;
    if (rc && rc != -XEN_ENOENT) {
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
}

static void set_up(void *arg)
{
    static struct xenstore_watch watch = { .path = "control/shutdown", .fn = shutdown_changed };
    int rc = xenstore_watch(&watch);

    (void)arg;
    if (rc)
        log_error("control/shutdown: not watched: %s; xl shutdown and xl reboot will not work",
                  error_name(rc));
    for (size_t i = 0; i < ARRAY_SIZE(features) && rc == 0; i++) {
        rc = xenstore_write(XBT_NIL, features[i], "1", 1);
        if (rc)
            log_warn("%s: not written: %s", features[i], error_name(rc));
    }
    control_watch_vcpus();
}

int control_init(void (*deliver)(enum control_request request))
{
    struct thread *thread;
    int rc;

    deliver_request = deliver;
    rc = thread_create(&thread, "control", KERNEL_STACK_ORDER, PRIORITY_NORMAL, set_up, NULL);
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
