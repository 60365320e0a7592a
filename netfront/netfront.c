/* SPDX-License-Identifier: MIT
 *
 * Interfaces come and go: the toolstack's directory is watched, and each interface has a thread
 * that follows its backend's state from there to the end.  A backend may be late, restart, or
 * break the rules; none of it is waited for by anybody else.  Follows Xen public/io/xenbus.h and
 * netif.h.
 */
#include <string.h>
#include "kernel/mutex.h"
#include "kernel/time.h"
#include "lib/log.h"
#include "mm/kmem.h"
#include "netfront/internal.h"

#define VIF_DIR "device/vif"
#define VIF_MAX 65535
/* How long until xenstored is asked again. */
#define AGAIN_MIN_NS NS_PER_S
#define AGAIN_MAX_NS (16 * NS_PER_S)

static struct mutex mutex = MUTEX_INIT(mutex);
static struct list interfaces = LIST_INIT(interfaces); /* held: mutex */
static bool (*others)(const uint8_t mac[6]);           /* whose address it is; NULL: nobody's */
static unsigned int turned_off;                        /* a bit for each enum netfront_feature */

void netfront_turn_off(enum netfront_feature feature)
{
    turned_off |= 1U << feature;
}

bool netfront_wants(enum netfront_feature feature)
{
    return !(turned_off >> feature & 1);
}

void netfront_leave_to(bool (*fn)(const uint8_t mac[6]))
{
    others = fn;
}

bool netfront_is_others(const uint8_t mac[6])
{
    return others && others(mac);
}

/* held: mutex */
static struct netfront *find(unsigned int id)
{
    struct list *it;

    list_for_each (it, &interfaces) {
        struct netfront *nf = list_entry(it, struct netfront, link);

        if (nf->id == id)
            return nf;
    }
    return NULL;
}

void netfront_keep_apart(const struct netfront *nf)
{
    struct list *it;

    mutex_lock(&mutex);
    list_for_each (it, &interfaces) {
        struct netfront *other = list_entry(it, struct netfront, link);

        if (other != nf && other->xenbus.backend_path &&
            other->xenbus.backend_id != nf->xenbus.backend_id)
            netbuf_scrub();
    }
    mutex_unlock(&mutex);
}

static void interface_thread(void *arg)
{
    struct netfront *nf = arg;
    bool again;

    do {
        netfront_live(nf);
        mutex_lock(&mutex); /* did it come back meanwhile? */
        again = nf->look_again;
        nf->look_again = false;
        if (!again)
            list_remove(&nf->link);
        mutex_unlock(&mutex);
    } while (again);
    for (unsigned int i = 0; i < MAX_VCPUS; i++)
        kmem_free(nf->queues[i]);
    kmem_free(nf);
}

/* held: mutex */
static void start_interface(unsigned int id)
{
    struct netfront *nf = kmem_alloc(sizeof(*nf));
    struct thread *thread;
    int rc = -XEN_ENOMEM;

    if (nf) {
        nf->id = id;
        signal_init(&nf->look);
        format_text(nf->dev.name, sizeof(nf->dev.name), "vif%u", id);
        list_add_last(&interfaces, &nf->link);
        rc = thread_create(&thread, nf->dev.name, THREAD_STACK_ORDER, PRIORITY_HIGH,
                           interface_thread, nf);
    }
    if (rc == 0) {
        thread_detach(thread);
        return;
    }
    log_error(VIF_DIR "/%u: not used: %s", id, error_name(rc));
    if (nf)
        list_remove(&nf->link);
    kmem_free(nf);
}

/* Something about an interface changed that is perhaps new. */
static void look_at(unsigned int id)
{
    struct netfront *nf;

    mutex_lock(&mutex);
    nf = find(id);
    if (nf) {
        nf->look_again = true;
        signal_raise(&nf->look);
    } else {
        start_interface(id);
    }
    mutex_unlock(&mutex);
}

/* The number at the front of `text`; what follows it in *rest. False: there is none. */
static bool parse_id(const char *text, unsigned int *id, const char **rest)
{
    const char *at = text;

    for (*id = 0; *at >= '0' && *at <= '9' && *id <= VIF_MAX; at++)
        *id = *id * 10 + (unsigned int)(*at - '0');
    *rest = at;
    return at > text && *id <= VIF_MAX && (*at == '\0' || *at == '/');
}

static void scan(void)
{
    char *names;
    unsigned int count, id;
    const char *name, *rest;
    int rc = xenstore_directory(XBT_NIL, VIF_DIR, &names, &count);

    if (rc) {
        if (rc != -XEN_ENOENT)
            log_warn(VIF_DIR ": not read: %s", error_name(rc));
        return;
    }
    for (name = names; count > 0; count--, name += strlen(name) + 1) {
        if (parse_id(name, &id, &rest) && *rest == '\0')
            look_at(id);
        else
            log_warn(VIF_DIR "/%.40s: not the name of an interface", name);
    }
    kmem_free(names);
}

/* Watch thread: `path` is the directory, an interface's, or something in it. Most of what changes
 * are our own keys. */
static void vifs_changed(struct xenstore_watch *watch, const char *path)
{
    size_t len = strlen(VIF_DIR);
    const char *rest;
    unsigned int id;

    (void)watch;
    if (strncmp(path, VIF_DIR, len) == 0 && path[len] == '/') {
        if (parse_id(path + len + 1, &id, &rest) &&
            (*rest == '\0' || strcmp(rest, "/backend") == 0))
            look_at(id);
    } else {
        scan();
    }
}

static struct xenstore_watch watch = { .path = VIF_DIR, .fn = vifs_changed };

/* Only when xenstored was too slow at boot: nothing else waits for it. Each try takes a second. */
static void watch_at_last(void *unused)
{
    uint64_t again_ns = AGAIN_MIN_NS;
    int rc;

    (void)unused;
    do {
        thread_sleep_until(time_after_ns(again_ns));
        again_ns = MIN(2 * again_ns, AGAIN_MAX_NS);
        rc = xenstore_watch(&watch);
    } while (rc == -XEN_ETIMEDOUT);
    if (rc)
        log_error(VIF_DIR ": not watched: %s: no interfaces", error_name(rc));
}

int netfront_start(void)
{
    struct thread *thread;
    int rc = xenstore_watch(&watch);

    if (rc != -XEN_ETIMEDOUT)
        return rc;
    log_warn(VIF_DIR ": not watched yet: xenstored does not answer");
    rc = thread_create(&thread, "netfront", THREAD_STACK_ORDER, PRIORITY_NORMAL, watch_at_last,
                       NULL);
    if (rc == 0)
        thread_detach(thread);
    return rc;
}
