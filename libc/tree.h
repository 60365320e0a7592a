/* SPDX-License-Identifier: MIT
 *
 * The tree of files that programs see, made of archives and files that lie in memory and stay
 * there: names and contents are not copied.  It grows while it is filled, by one thread; after that
 * nothing changes it and nobody locks.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TREE_NAME_MAX  255 /* bytes of a name */
#define TREE_LINKS_MAX 8   /* symbolic links on the way to a file */

struct archive;

/* What a file holds, or where a symbolic link leads; of all names that are hard links to it. */
struct content {
    const char *data;
    size_t size;
    unsigned int number, links;
    uint64_t same; /* struct archive_entry's */
    struct content *chain;
};

struct node {
    struct node *parent;       /* the root is its own */
    struct node *next;         /* in its directory, in the order they came */
    struct node *first, *last; /* of a directory */
    struct node *chain;        /* of names with the same hash */
    struct content *content;   /* NULL: a directory */
    const char *name;
    size_t name_len;
    mode_t mode; /* S_IFREG, S_IFDIR or S_IFLNK, and permissions */
    unsigned int number;
    int64_t mtime;
};

/* Put all of an archive below the directory `at` ("": the root), which is made. A file that is
 * there already is replaced. How many entries it has; or -EINVAL or -ENOMEM: archive->wrong and
 * archive->at say what and where. Then nothing of a damaged archive is there, and of one that does
 * not fit what comes before that. */
int tree_add_archive(struct archive *archive, const char *at);
/* Put one file there. NULL, or what is wrong. */
const char *tree_add_file(const char *path, const char *data, size_t size);

/* What `path` leads to, from the root on whether or not it begins with a slash; the last name's
 * symbolic link is followed if `follow`. 0, -ENOENT, -ENOTDIR, -ELOOP or -ENAMETOOLONG. */
int tree_find(const char *path, bool follow, const struct node **found);

/* For tree_fill.c. */
#define IS_DOT(name, len)     ((len) == 1 && (name)[0] == '.')
#define IS_DOT_DOT(name, len) ((len) == 2 && (name)[0] == '.' && (name)[1] == '.')
extern struct node tree_root;
/* Where the chain begins that has a name of a directory, if there is one. */
struct node **tree_bucket(const struct node *parent, const char *name, size_t len);
struct node *tree_child(const struct node *parent, const char *name, size_t len);
/* The next name of [*path, end), slashes in front taken off; its length, 0 at the end. */
size_t tree_next_name(const char **path, const char *end);
/* Like tree_find() from another directory on, not following. */
int tree_find_below(const struct node *from, const char *path, size_t path_len,
                    const struct node **found);
