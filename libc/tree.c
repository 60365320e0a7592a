/* SPDX-License-Identifier: MIT
 *
 * The tree of files: from paths to nodes, by one hash table of the names in all directories.
 */
#include "libc/tree.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/types.h"

#define BUCKETS 1024

struct node tree_root = { .parent = &tree_root, .name = "", .mode = S_IFDIR | 0555, .number = 1 };
static struct node *buckets[BUCKETS];

struct node **tree_bucket(const struct node *parent, const char *name, size_t len)
{
    uint32_t hash = parent->number;

    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)name[i]) * 16777619; /* FNV-1a */
    return &buckets[(hash ^ hash >> 16) % BUCKETS];
}

struct node *tree_child(const struct node *parent, const char *name, size_t len)
{
    struct node *node = *tree_bucket(parent, name, len);

    while (node &&
           (node->parent != parent || node->name_len != len || memcmp(node->name, name, len) != 0))
        node = node->chain;
    return node;
}

size_t tree_next_name(const char **path, const char *end)
{
    size_t len = 0;

    while (*path < end && **path == '/')
        ++*path;
    while (*path + len < end && (*path)[len] != '/')
        len++;
    return len;
}

static int find(const struct node *from, const char *path, size_t path_len, bool follow,
                unsigned int links, const struct node **found)
{
    const char *end = path + path_len;
    const struct node *node = path_len && *path == '/' ? &tree_root : from;
    size_t len;

    if (path_len == 0)
        return -ENOENT;
    for (; (len = tree_next_name(&path, end)); path += len) {
        const struct node *below;
        bool last = path + len == end;

        if (!S_ISDIR(node->mode))
            return -ENOTDIR;
        if (len > TREE_NAME_MAX)
            return -ENAMETOOLONG;
        if (IS_DOT(path, len))
            continue;
        below = IS_DOT_DOT(path, len) ? node->parent : tree_child(node, path, len);
        if (!below)
            return -ENOENT;
        if (S_ISLNK(below->mode) && (!last || follow)) {
            int rc = links == TREE_LINKS_MAX ? -ELOOP
                                             : find(node, below->content->data,
                                                    below->content->size, true, links + 1, &below);
            if (rc)
                return rc;
        }
        node = below;
    }
    if (end[-1] == '/' && !S_ISDIR(node->mode))
        return -ENOTDIR;
    *found = node;
    return 0;
}

int tree_find(const char *path, bool follow, const struct node **found)
{
    return find(&tree_root, path, strlen(path), follow, 0, found);
}

int tree_find_below(const struct node *from, const char *path, size_t path_len,
                    const struct node **found)
{
    return find(from, path, path_len, false, 0, found);
}
