/* SPDX-License-Identifier: MIT
 *
 * Directories that are read in pieces: of any size, changing meanwhile, nonsense.
 */
#include <stdlib.h>
#include "tests/host/xenstore_client.h"

static void make_directory(unsigned int count)
{
    char path[40];

    fake_xenstored_set("big", "");
    for (unsigned int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "big/entry-%06u", i);
        fake_xenstored_set(path, "");
    }
}

static void check_directory(unsigned int want)
{
    char *names, *at, name[20];
    unsigned int count;

    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), 0);
    CHECK_EQ(count, want);
    at = names;
    for (unsigned int i = 0; i < MIN(count, want); i++, at += strlen(at) + 1) {
        snprintf(name, sizeof(name), "entry-%06u", i);
        CHECK_STR(at, name);
    }
    kmem_free(names);
    CHECK_NO_LEAK();
}

TEST(directory_sizes)
{
    connect_at(NEAR_WRAP);
    make_directory(0);
    check_directory(0);
    make_directory(1);
    check_directory(1);
    make_directory(315); /* 4095 bytes */
    check_directory(315);
    make_directory(316);
    check_directory(316);
    make_directory(2000);
    check_directory(2000);
    CHECK_GT(fake_xenstored.requests[XS_DIRECTORY_PART], 3);
}

TEST(directory_of_old_daemon)
{
    char *names;
    unsigned int count;

    connect_at(0);
    fake_xenstored.no_directory_part = true;
    make_directory(500);
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_E2BIG);
    CHECK_EQ(xenstore_directory(XBT_NIL, "none", &names, &count), -XEN_ENOENT);
}

static unsigned int changes_left;

static bool change_directory(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (request->type == XS_DIRECTORY_PART && changes_left) {
        changes_left--;
        fake_xenstored_set("elsewhere", "x"); /* the fake's generation counts every change */
    }
    return false;
}

TEST(directory_changes_meanwhile)
{
    connect_at(0);
    make_directory(1000);
    changes_left = 5;
    fake_xenstored.hook = change_directory;
    check_directory(1000);
    CHECK_EQ(changes_left, 0);
}

TEST(directory_changes_for_ever)
{
    char *names;
    unsigned int count;

    connect_at(0);
    make_directory(1000);
    changes_left = 1000000;
    fake_xenstored.hook = change_directory;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EAGAIN);
    CHECK_NO_LEAK();
}

/* Parts for ever, or parts that are none. */
static char part[XENSTORE_PAYLOAD_MAX];
static uint32_t part_len;

static bool answer_part(const struct xsd_sockmsg *request, const char *payload)
{
    (void)payload;
    if (request->type == XS_DIRECTORY)
        fake_xenstored_send(XS_ERROR, request->req_id, 0, "E2BIG", 6);
    else
        fake_xenstored_send(request->type, request->req_id, 0, part, part_len);
    return true;
}

TEST(directory_never_ends)
{
    char *names;
    unsigned int count;

    connect_at(0);
    memset(part, 'a', sizeof(part));
    part[1] = part[sizeof(part) - 1] = 0;
    part_len = sizeof(part);
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_E2BIG);
    CHECK_NO_LEAK();
}

static void check_bad_part(const char *bytes, uint32_t len)
{
    char *names;
    unsigned int count;

    connect_at(0);
    memcpy(part, bytes, len);
    part_len = len;
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EPROTO);
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), -XEN_EIO);
    CHECK_EQ(fake_logged("DIRECTORY_PART"), 1);
    CHECK_NO_LEAK();
}

TEST(directory_part_empty)
{
    check_bad_part("", 0);
}

TEST(directory_part_without_names)
{
    check_bad_part("17", 3);
}

TEST(directory_part_without_generation_end)
{
    check_bad_part("17", 2);
}

TEST(directory_part_without_terminator)
{
    check_bad_part("1\0a", 3);
}

TEST(directory_part_with_long_generation)
{
    check_bad_part("123456789012345678901234567\0a\0", 30);
}

TEST(directory_part_that_ends_at_once)
{
    char *names;
    unsigned int count = 99;

    connect_at(0);
    memcpy(part, "17\0", 4);
    part_len = 4;
    fake_xenstored.hook = answer_part;
    CHECK_EQ(xenstore_directory(XBT_NIL, "big", &names, &count), 0);
    CHECK_EQ(count, 0);
    kmem_free(names);
    CHECK_NO_LEAK();
}
