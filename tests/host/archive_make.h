/* SPDX-License-Identifier: MIT
 *
 * Archives made by hand, and the tree that they become.  Each lies at the end of a block of its
 * own, so that reading behind it is seen.
 */
#pragma once

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "libc/archive.h"
#include "libc/tree.h"
#include "tests/host/test.h"

static char made[1 << 20];
static size_t size;
static struct archive archive;

static inline void pad(size_t unit)
{
    while (size % unit)
        made[size++] = '\0';
}

static inline void put(const void *bytes, size_t len)
{
    memcpy(made + size, bytes, len);
    size += len;
}

/* A file of cpio; `ino` not 0: one of several names. */
static inline void cpio(const char *path, unsigned int mode, const char *data, unsigned int ino)
{
    size += (size_t)sprintf(
        made + size, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", ino, mode, 0,
        0, ino ? 2 : 1, 1000000000, strlen(data), 8, 1, 0, 0, strlen(path) + 1, 0);
    put(path, strlen(path) + 1);
    pad(4);
    put(data, strlen(data));
    pad(4);
}

static inline void cpio_end(void)
{
    cpio("TRAILER!!!", 0, "", 0);
}

static inline void tar_sum(char *header)
{
    unsigned int sum = 0;

    memset(header + 148, ' ', 8);
    for (unsigned int i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    sprintf(header + 148, "%06o", sum);
}

/* An entry of tar; its header. */
static inline char *tar(const char *path, char type, const char *link, const char *data)
{
    char *header = made + size;

    memset(header, 0, 512);
    memcpy(header, path, MIN(strlen(path), 100));
    sprintf(header + 100, "%07o", 0640);
    sprintf(header + 124, "%011zo", strlen(data));
    sprintf(header + 136, "%011o", 1000000000);
    header[156] = type;
    memcpy(header + 157, link, MIN(strlen(link), 100));
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    tar_sum(header);
    size += 512;
    put(data, strlen(data));
    pad(512);
    return header;
}

static inline void tar_end(void)
{
    memset(made + size, 0, 1024);
    size += 1024;
}

/* All that is made so far goes into the tree below `at`. */
static inline int add(const char *at)
{
    static char *copies[1000]; /* stay: the tree points there */
    static unsigned int nr_copies;
    char *copy = copies[nr_copies++] = malloc(size + 1);

    memcpy(copy + 1, made, size);
    CHECK(archive_open(&archive, copy + 1, size));
    size = 0;
    return tree_add_archive(&archive, at);
}

/* It is refused, for this reason, at this byte; and nothing of it is there. */
static inline void refused(const char *why, size_t at)
{
    CHECK_EQ(add(""), -EINVAL);
    CHECK_STR(archive.wrong, why);
    CHECK_EQ(archive.at, at);
    CHECK(tree_root.first == NULL);
}

static inline const struct node *find(const char *path)
{
    const struct node *node = NULL;

    CHECK_EQ(tree_find(path, true, &node), 0);
    return node ? node : &tree_root;
}

static inline int why_not(const char *path)
{
    const struct node *node;

    return tree_find(path, true, &node);
}

static inline void holds(const char *path, const char *text)
{
    const struct node *node = find(path);

    CHECK(node->content != NULL);
    if (!node->content)
        return;
    CHECK_EQ(node->content->size, strlen(text));
    CHECK_EQ(memcmp(node->content->data, text, strlen(text)), 0);
}
