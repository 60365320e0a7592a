/* SPDX-License-Identifier: MIT
 *
 * The xenstore client against the real xenstored, in the part of the tree a domain may write:
 * data/ under its own directory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/atomic.h"
#include "mm/kmem.h"
#include "selftest.h"

#define DIR "data/selftest"

/* On a busy host xenstored may take longer than a request may: that is no error of ours. */
static bool again(int rc, int *tries)
{
    if (rc != -XEN_ETIMEDOUT || ++*tries == 4)
        return false;
    printf("# xenstored took over a second\n");
    return true;
}

static bool holds(xenstore_tx_t tx, const char *path, const char *want)
{
    int rc, tries = 0;
    char *value;
    size_t len;
    bool same;

    do {
        rc = xenstore_read(tx, path, &value, &len);
    } while (again(rc, &tries));
    if (!CHECK_EQ(rc, 0))
        return false;
    same = len == strlen(want) && memcmp(value, want, len) == 0;
    if (!same)
        printf("# %s: %s\n", path, value);
    kmem_free(value);
    return same;
}

static int write_text(xenstore_tx_t tx, const char *path, const char *value)
{
    int rc, tries = 0;

    do {
        rc = xenstore_write(tx, path, value, strlen(value));
    } while (again(rc, &tries));
    return rc;
}

TEST(xenstore_write_read)
{
    REQUIRE_EQ(write_text(XBT_NIL, DIR "/a", "value"), 0);
    CHECK(holds(XBT_NIL, DIR "/a", "value"));
    REQUIRE_EQ(write_text(XBT_NIL, DIR "/a", ""), 0);
    CHECK(holds(XBT_NIL, DIR "/a", ""));
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_binary_value_is_whole)
{
    unsigned char out[256], *in = NULL;
    size_t len = 0;

    for (size_t i = 0; i < sizeof(out); i++)
        out[i] = (unsigned char)i;
    REQUIRE_EQ(xenstore_write(XBT_NIL, DIR "/binary", out, sizeof(out)), 0);
    REQUIRE_EQ(xenstore_read(XBT_NIL, DIR "/binary", (char **)&in, &len), 0);
    CHECK_EQ(len, sizeof(out));
    CHECK_EQ(memcmp(in, out, sizeof(out)), 0);
    CHECK_EQ(in[len], 0);
    kmem_free(in);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_errors_have_names)
{
    static char large[XENSTORE_PAYLOAD_MAX + 1];
    char *value;
    uint64_t number;

    memset(large, 'x', sizeof(large));
    CHECK_EQ(xenstore_read(XBT_NIL, DIR "/missing", &value, NULL), -XEN_ENOENT);
    CHECK_EQ(write_text(XBT_NIL, "/local/domain/0/selftest", "x"), -XEN_EACCES);
    CHECK_EQ(xenstore_write(XBT_NIL, DIR "/large", large, sizeof(large)), -XEN_E2BIG);
    CHECK(xenstore_read(XBT_NIL, "no such\tpath", &value, NULL) < 0);
    REQUIRE_EQ(write_text(XBT_NIL, DIR "/text", "12x"), 0);
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, DIR "/text", 100, &number), -XEN_EINVAL);
    REQUIRE_EQ(xenstore_printf(XBT_NIL, DIR "/number", "%u", 12345), 0);
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, DIR "/number", 12344, &number), -XEN_EINVAL);
    CHECK_EQ(xenstore_read_unsigned(XBT_NIL, DIR "/number", 12345, &number), 0);
    CHECK_EQ(number, 12345);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_directory_lists_children)
{
    unsigned int count = 0, found = 0;
    char *names;

    REQUIRE_EQ(xenstore_mkdir(XBT_NIL, DIR "/empty"), 0);
    REQUIRE_EQ(xenstore_directory(XBT_NIL, DIR "/empty", &names, &count), 0);
    CHECK_EQ(count, 0);
    kmem_free(names);
    /* xenstored gives a node of a guest's 2 KiB at most, names of children included. */
    for (int i = 0; i < 60; i++) {
        char path[64];

        snprintf(path, sizeof(path), DIR "/list/a-child-with-a-name-%02d", i);
        REQUIRE_EQ(write_text(XBT_NIL, path, "x"), 0);
    }
    REQUIRE_EQ(xenstore_directory(XBT_NIL, DIR "/list", &names, &count), 0);
    CHECK_EQ(count, 60);
    for (const char *name = names; count > 0; count--, name += strlen(name) + 1)
        found += strncmp(name, "a-child-with-a-name-", 20) == 0;
    CHECK_EQ(found, 60);
    kmem_free(names);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
    CHECK_EQ(xenstore_directory(XBT_NIL, DIR "/list", &names, &count), -XEN_ENOENT);
}

/* A guest may not make a directory beyond one message; the toolstack may: data/big with as many
 * children as data/big-count says. */
TEST(xenstore_directory_beyond_one_message)
{
    unsigned int count = 0, steps = 0;
    uint64_t want;
    size_t len = 0;
    char *names;

    if (xenstore_read_unsigned(XBT_NIL, "data/big-count", 1000000, &want)) {
        test_skip("the toolstack made no data/big");
        return;
    }
    REQUIRE_EQ(xenstore_directory(XBT_NIL, "data/big", &names, &count), 0);
    CHECK_EQ(count, want);
    for (const char *name = names; steps < count; steps++, name += strlen(name) + 1)
        len += strlen(name) + 1;
    CHECK(len > XENSTORE_PAYLOAD_MAX);
    kmem_free(names);
}

TEST(xenstore_perms_read_back)
{
    char owner[16], *perms;
    const char *wanted[] = { owner, "r0" };
    unsigned int count;

    snprintf(owner, sizeof(owner), "n%u", test_domid());
    REQUIRE_EQ(write_text(XBT_NIL, DIR "/shared", "x"), 0);
    REQUIRE_EQ(xenstore_get_perms(XBT_NIL, DIR "/shared", &perms, &count), 0);
    CHECK(count >= 1 && perms[1] != '\0');
    kmem_free(perms);
    REQUIRE_EQ(xenstore_set_perms(XBT_NIL, DIR "/shared", wanted, 2), 0);
    REQUIRE_EQ(xenstore_get_perms(XBT_NIL, DIR "/shared", &perms, &count), 0);
    CHECK_EQ(count, 2);
    CHECK_EQ(strcmp(perms, owner), 0);
    CHECK_EQ(strcmp(perms + strlen(perms) + 1, "r0"), 0);
    kmem_free(perms);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_domain_path_is_ours)
{
    bool introduced = false;
    char want[40], *path;
    int rc;

    snprintf(want, sizeof(want), "/local/domain/%u", test_domid());
    REQUIRE_EQ(xenstore_domain_path(test_domid(), &path), 0);
    CHECK_EQ(strcmp(path, want), 0);
    kmem_free(path);
    rc = xenstore_is_domain_introduced(test_domid(), &introduced);
    CHECK((rc == 0 && introduced) || rc == -XEN_EACCES); /* some daemons tell the toolstack only */
}

TEST(xenstore_transaction_commit_and_abort)
{
    xenstore_tx_t tx;
    char *value;

    REQUIRE_EQ(write_text(XBT_NIL, DIR "/t", "before"), 0);
    REQUIRE_EQ(xenstore_transaction_start(&tx), 0);
    CHECK_EQ(write_text(tx, DIR "/t", "inside"), 0);
    CHECK(holds(tx, DIR "/t", "inside"));
    CHECK(holds(XBT_NIL, DIR "/t", "before"));
    CHECK_EQ(xenstore_transaction_end(tx, true), 0);
    CHECK(holds(XBT_NIL, DIR "/t", "inside"));

    REQUIRE_EQ(xenstore_transaction_start(&tx), 0);
    CHECK_EQ(xenstore_rm(tx, DIR "/t"), 0);
    CHECK_EQ(xenstore_read(tx, DIR "/t", &value, NULL), -XEN_ENOENT);
    CHECK_EQ(xenstore_transaction_end(tx, false), 0);
    CHECK(holds(XBT_NIL, DIR "/t", "inside"));
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_transaction_conflict_is_eagain)
{
    xenstore_tx_t tx;
    char *value = NULL;

    REQUIRE_EQ(write_text(XBT_NIL, DIR "/c", "0"), 0);
    REQUIRE_EQ(xenstore_transaction_start(&tx), 0);
    CHECK_EQ(xenstore_read(tx, DIR "/c", &value, NULL), 0);
    kmem_free(value);
    CHECK_EQ(write_text(XBT_NIL, DIR "/c", "outside"), 0);
    CHECK_EQ(write_text(tx, DIR "/c", "inside"), 0);
    CHECK_EQ(xenstore_transaction_end(tx, true), -XEN_EAGAIN);
    CHECK(holds(XBT_NIL, DIR "/c", "outside"));
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

/* Adds one; the first time somebody else gets in between. */
static int add_one(xenstore_tx_t tx, void *arg)
{
    unsigned int *calls = arg;
    uint64_t value;
    int rc = xenstore_read_unsigned(tx, DIR "/n", 1000, &value);

    if (rc)
        return rc;
    if ((*calls)++ == 0)
        CHECK_EQ(write_text(XBT_NIL, DIR "/n", "100"), 0);
    return xenstore_printf(tx, DIR "/n", "%u", (unsigned int)value + 1);
}

static int give_up(xenstore_tx_t tx, void *arg)
{
    (void)arg;
    CHECK_EQ(write_text(tx, DIR "/n", "lost"), 0);
    return -XEN_ENODEV;
}

TEST(xenstore_transaction_is_tried_again)
{
    unsigned int calls = 0;

    REQUIRE_EQ(write_text(XBT_NIL, DIR "/n", "1"), 0);
    CHECK_EQ(xenstore_transaction(add_one, &calls), 0);
    CHECK_EQ(calls, 2);
    CHECK(holds(XBT_NIL, DIR "/n", "101"));
    CHECK_EQ(xenstore_transaction(give_up, NULL), -XEN_ENODEV);
    CHECK(holds(XBT_NIL, DIR "/n", "101"));
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

struct watched {
    unsigned int calls;
    char path[64]; /* of the latest call */
};

static void watch_event(struct xenstore_watch *watch, const char *path)
{
    struct watched *watched = watch->arg;

    snprintf(watched->path, sizeof(watched->path), "%s", path);
    (void)atomic_fetch_add(&watched->calls, 1);
}

TEST(xenstore_watch_fires_until_removed)
{
    struct watched seen = { 0 };
    struct xenstore_watch watch = { .path = DIR "/w", .fn = watch_event, .arg = &seen };
    unsigned int calls;

    REQUIRE_EQ(xenstore_watch(&watch), 0);
    CHECK_EQ(test_await(&seen.calls, 1), 1); /* once at once */
    CHECK_EQ(write_text(XBT_NIL, DIR "/w/below", "1"), 0);
    CHECK(test_await(&seen.calls, 2) >= 2);
    CHECK(strstr(seen.path, DIR "/w/below") != NULL);
    CHECK_EQ(write_text(XBT_NIL, DIR "/elsewhere", "1"), 0);
    CHECK_EQ(xenstore_unwatch(&watch), 0);
    calls = load_once(&seen.calls);
    CHECK_EQ(write_text(XBT_NIL, DIR "/w/below", "2"), 0);
    test_sleep_ms(20);
    CHECK_EQ(seen.calls, calls);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

TEST(xenstore_many_watches_each_fire)
{
    static struct watched seen[40];
    static struct xenstore_watch watches[40];
    static char paths[40][32];

    for (unsigned int i = 0; i < 40; i++) {
        snprintf(paths[i], sizeof(paths[i]), DIR "/w%u", i);
        seen[i].calls = 0;
        watches[i] =
            (struct xenstore_watch){ .path = paths[i], .fn = watch_event, .arg = &seen[i] };
        REQUIRE_EQ(xenstore_watch(&watches[i]), 0);
    }
    for (unsigned int i = 0; i < 40; i++) {
        CHECK_EQ(test_await(&seen[i].calls, 1), 1);
        CHECK_EQ(write_text(XBT_NIL, paths[i], "x"), 0);
    }
    for (unsigned int i = 0; i < 40; i++) {
        CHECK(test_await(&seen[i].calls, 2) >= 2);
        CHECK_EQ(xenstore_unwatch(&watches[i]), 0);
    }
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}

static void asker(void *arg)
{
    char path[40], text[20];

    snprintf(path, sizeof(path), DIR "/thread%s", (const char *)arg);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "%s-%d", (const char *)arg, i);
        CHECK_EQ(write_text(XBT_NIL, path, text), 0);
        CHECK(holds(XBT_NIL, path, text));
    }
}

TEST(xenstore_threads_get_their_own_answers)
{
    static const char *const names[] = { "0", "1", "2", "3" };
    struct thread *threads[4];

    REQUIRE_THREADS(4);
    for (size_t i = 0; i < 4; i++)
        REQUIRE_EQ(xenolith_thread(&threads[i], "asker", asker, (void *)(uintptr_t)names[i]), 0);
    for (size_t i = 0; i < 4; i++)
        CHECK_EQ(thread_join(threads[i], TIME_NEVER), 0);
    CHECK_EQ(xenstore_rm(XBT_NIL, DIR), 0);
}
