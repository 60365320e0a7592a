/* SPDX-License-Identifier: MIT
 *
 * Fuzzes modules: an archive of any bytes becomes a tree, which is walked, read and searched.  The
 * first byte says how long the path is that follows it, and whether tar's sums are made right,
 * which chance does not find.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/fuzz/guest.h"
#include "libc/tree.c"
#include "libc/tree_fill.c"

#define MAKE_SUMS 0x80
#define BLOCK     512

static volatile unsigned char sink;

void other_end_notified(void)
{
}

bool other_end_turn(void)
{
    return false;
}

static void make_sums(char *bytes, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        unsigned int sum = 0;
        char digits[8];

        if (memcmp(bytes + at + 257, "ustar", 5) != 0)
            continue;
        memset(bytes + at + 148, ' ', 8);
        for (unsigned int i = 0; i < BLOCK; i++)
            sum += (unsigned char)bytes[at + i];
        snprintf(digits, sizeof(digits), "%06o", sum & 0777777);
        memcpy(bytes + at + 148, digits, 7);
    }
}

static void read_bytes(const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sink += (unsigned char)bytes[i];
}

/* Everything below `dir` is sound, readable, and found by its name; then it is freed. */
static void walk(struct node *dir)
{
    struct node *node = dir->first;

    while (node) {
        struct node *next = node->next;

        MUST(node->parent == dir && node->name_len > 0 && node->name_len <= TREE_NAME_MAX);
        MUST(!memchr(node->name, '/', node->name_len) && !memchr(node->name, '\0', node->name_len));
        MUST(!IS_DOT(node->name, node->name_len) && !IS_DOT_DOT(node->name, node->name_len));
        MUST(tree_child(dir, node->name, node->name_len) == node);
        MUST(S_ISDIR(node->mode) == !node->content);
        walk(node);
        if (node->content) {
            MUST(node->content->links > 0);
            read_bytes(node->content->data, node->content->size);
            if (--node->content->links == 0 && node->content->same == 0)
                free(node->content);
        }
        node = next;
    }
}

/* All nodes are in the table, once. */
static void forget(void)
{
    for (unsigned int i = 0; i < BUCKETS; i++)
        while (buckets[i]) {
            struct node *node = buckets[i];

            buckets[i] = node->chain;
            free(node);
        }
    for (unsigned int i = 0; i < LINK_BUCKETS; i++)
        while (linked[i]) {
            struct content *content = linked[i];

            MUST(content->links == 0);
            linked[i] = content->chain;
            free(content);
        }
    tree_root.first = tree_root.last = NULL;
    tree_root.mode = S_IFDIR | 0555;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t path_len = size ? MIN(data[0] & 0x7f, size - 1) : 0;
    struct archive archive;
    const struct node *found;
    char path[128], *bytes;

    if (size == 0)
        return 0;
    memcpy(path, data + 1, path_len);
    path[path_len] = '\0';
    size -= 1 + path_len;
    bytes = malloc(size + 1); /* not aligned, and nothing behind it */
    memcpy(bytes + 1, data + 1 + path_len, size);
    if (data[0] & MAKE_SUMS)
        make_sums(bytes + 1, size);
    if (archive_open(&archive, bytes + 1, size)) {
        int rc = tree_add_archive(&archive, data[0] & 1 ? "a/b" : "");

        MUST(rc >= 0 || (archive.wrong && archive.at <= size));
    } else {
        tree_add_file(path, bytes + 1, size);
    }
    if (tree_find(path, data[0] & 2, &found) == 0)
        MUST(found->content || S_ISDIR(found->mode));
    walk(&tree_root);
    forget();
    free(bytes);
    return 0;
}
