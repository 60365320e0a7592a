/* SPDX-License-Identifier: MIT
 *
 * How the tree of files comes to be.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "lib/types.h"
#include "libc/archive.h"
#include "libc/tree.h"

#define LINK_BUCKETS 256
#define DIR_MODE     (S_IFDIR | 0555)

static const char no_memory[] = "there is no memory for more files";

static struct content *linked[LINK_BUCKETS]; /* of the archive that is being added */
static unsigned int last_number = 1;         /* the root's */

/* NULL, or what is wrong with a path in an archive. */
static const char *path_problem(const char *path, size_t path_len)
{
    const char *end = path + path_len;
    size_t len;

    for (; (len = tree_next_name(&path, end)); path += len) {
        if (len > TREE_NAME_MAX)
            return "a name is longer than 255 bytes";
        if (IS_DOT_DOT(path, len))
            return "a path has .. in it";
    }
    return NULL;
}

static struct node *add_node(struct node *parent, const char *name, size_t len, mode_t mode)
{
    struct node *node = calloc(1, sizeof(*node));
    struct node **bucket = tree_bucket(parent, name, len);

    if (!node)
        return NULL;
    node->parent = parent;
    node->name = name;
    node->name_len = len;
    node->mode = mode;
    node->number = ++last_number;
    node->chain = *bucket;
    *bucket = node;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
    return node;
}

/* The directory that [path, end) is below *dir, with all on the way made. NULL, or what is wrong.
 */
static const char *make_directories(struct node **dir, const char *path, const char *end)
{
    size_t len;

    for (; (len = tree_next_name(&path, end)); path += len) {
        struct node *below = tree_child(*dir, path, len);

        if (IS_DOT(path, len))
            continue;
        if (!below)
            below = add_node(*dir, path, len, DIR_MODE);
        if (!below)
            return no_memory;
        if (!S_ISDIR(below->mode))
            return "its path leads through what is no directory";
        *dir = below;
    }
    return NULL;
}

/* The last name of [path, *end), which *end is set behind; its length, 0: there is none but dots.
 */
static size_t last_name(const char *path, const char **end)
{
    for (;;) {
        size_t len = 0;

        while (*end > path && (*end)[-1] == '/')
            --*end;
        while (*end - len > path && (*end)[-1 - (ptrdiff_t)len] != '/')
            len++;
        if (len == 0 || !IS_DOT(*end - len, len))
            return len;
        *end -= len;
    }
}

/* Find or make the node of a path below `dir`, of the type of `mode`. NULL, or what is wrong. */
static const char *provide(struct node *dir, const char *path, size_t path_len, mode_t mode,
                           struct node **node)
{
    const char *end = path + path_len;
    size_t len = last_name(path, &end);
    const char *wrong = make_directories(&dir, path, end - len);

    if (wrong)
        return wrong;
    *node = dir;
    if (len)
        *node = tree_child(dir, end - len, len);
    if (len && !*node)
        *node = add_node(dir, end - len, len, mode);
    if (!*node)
        return no_memory;
    if (S_ISDIR(mode) != S_ISDIR((*node)->mode))
        return "something else has that name, and one of the two is a directory";
    (*node)->mode = mode;
    return NULL;
}

static struct content *new_content(uint64_t same)
{
    struct content *content = calloc(1, sizeof(*content));

    if (content) {
        content->number = ++last_number;
        content->same = same;
        content->data = "";
    }
    return content;
}

/* That of a file in several places of a cpio archive: the same for all of them. */
static struct content *content_of(uint64_t same)
{
    struct content **bucket = &linked[(same ^ same >> 32) % LINK_BUCKETS], *content = *bucket;

    while (content && content->same != same)
        content = content->chain;
    if (content)
        return content;
    content = new_content(same);
    if (content) {
        content->chain = *bucket;
        *bucket = content;
    }
    return content;
}

/* Free it if nobody has it; those of linked[] stay. */
static void drop(struct content *content)
{
    if (content->links == 0 && content->same == 0)
        free(content);
}

/* Let `node`'s content be this one; what it had before may still have other names. */
static void set_content(struct node *node, struct content *content)
{
    struct content *before = node->content;

    content->links++;
    node->content = content;
    if (before) {
        before->links--;
        drop(before);
    }
}

static struct content *hard_link(struct node *dir, const struct archive_entry *entry, mode_t *type)
{
    const char *path = entry->data, *end = path + entry->size;
    const struct node *to;

    while (path < end && *path == '/')
        path++;
    if (tree_find_below(dir, path, end - path, &to))
        return NULL;
    *type = to->mode & S_IFMT;
    return to->content;
}

static const char *add_directory(struct node *dir, const struct archive_entry *entry)
{
    struct node *node;
    const char *wrong =
        provide(dir, entry->path, entry->path_len, S_IFDIR | entry->permissions, &node);

    if (!wrong)
        node->mtime = entry->mtime;
    return wrong;
}

/* NULL, or what is wrong; then no node was made for it. */
static const char *add_entry(struct node *dir, const struct archive_entry *entry)
{
    mode_t type = entry->type == ENTRY_SYMLINK ? S_IFLNK : S_IFREG;
    struct node *below = dir, *node;
    struct content *content;
    const char *wrong;

    if (entry->type == ENTRY_OTHER) /* devices, pipes: nothing to be read */
        return NULL;
    wrong = make_directories(&below, entry->prefix, entry->prefix + entry->prefix_len);
    if (wrong)
        return wrong;
    if (entry->type == ENTRY_DIRECTORY)
        return add_directory(below, entry);
    content = entry->type == ENTRY_HARD_LINK ? hard_link(dir, entry, &type)
              : entry->same                  ? content_of(entry->same)
                                             : new_content(0);
    if (!content)
        return entry->type == ENTRY_HARD_LINK ? "a link leads to no file that comes before it"
                                              : no_memory;
    wrong = provide(below, entry->path, entry->path_len, type | entry->permissions, &node);
    if (wrong) {
        drop(content);
        return wrong;
    }
    node->mtime = entry->mtime;
    set_content(node, content);
    if (entry->type != ENTRY_HARD_LINK && (entry->size || !entry->same)) {
        content->data = entry->data;
        content->size = entry->size;
    }
    return NULL;
}

/* Is all of it readable? How many entries, or -EINVAL. */
static int check(struct archive *archive)
{
    struct archive_entry entry;
    int rc, entries = 0;
    size_t at;

    while (at = archive->at, (rc = archive_next(archive, &entry)) == 1) {
        const char *wrong = path_problem(entry.prefix, entry.prefix_len);

        wrong = wrong ? wrong : path_problem(entry.path, entry.path_len);
        if (wrong)
            return archive_wrong(archive, at, wrong);
        entries++;
    }
    return rc ? rc : entries;
}

int tree_add_archive(struct archive *archive, const char *to)
{
    struct archive again = *archive;
    struct archive_entry entry;
    struct node *dir = &tree_root;
    int entries = check(archive);
    const char *wrong = path_problem(to, strlen(to));
    size_t at = 0;

    if (entries < 0)
        return entries;
    memset(linked, 0, sizeof(linked));
    if (!wrong)
        wrong = make_directories(&dir, to, to + strlen(to));
    while (!wrong && (at = again.at, archive_next(&again, &entry) == 1))
        wrong = add_entry(dir, &entry);
    return wrong ? archive_wrong(archive, at, wrong) : entries;
}

const char *tree_add_file(const char *path, const char *data, size_t size)
{
    const char *wrong = path_problem(path, strlen(path));
    struct content *content = new_content(0);
    struct node *node;

    if (!content)
        return no_memory;
    if (!wrong)
        wrong = provide(&tree_root, path, strlen(path), S_IFREG | 0444, &node);
    if (wrong) {
        drop(content);
        return wrong;
    }
    content->data = data;
    content->size = size;
    set_content(node, content);
    return NULL;
}
