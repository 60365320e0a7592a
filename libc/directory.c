/* SPDX-License-Identifier: MIT
 *
 * Reading directories. There are no entries "." and ".."; nothing changes while one is read.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "libc/files.h"

struct DIR {
    int fd;
    const struct node *node, *next; /* next: NULL at the end */
    long at;
    struct dirent entry;
};

DIR *fdopendir(int fd)
{
    const struct node *node = files_node(fd);
    DIR *dir;

    if (!node || !S_ISDIR(node->mode)) {
        errno = node ? ENOTDIR : EBADF;
        return NULL;
    }
    dir = calloc(1, sizeof(*dir));
    if (!dir)
        return NULL;
    dir->fd = fd;
    dir->node = node;
    dir->next = node->first;
    return dir;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (fd >= 0 && !dir)
        close(fd);
    return dir;
}

struct dirent *readdir(DIR *dir)
{
    const struct node *node = dir->next;
    struct dirent *entry = &dir->entry;

    if (!node)
        return NULL;
    dir->next = node->next;
    dir->at++;
    entry->d_ino = (ino_t)(node->content ? node->content->number : node->number);
    entry->d_type = S_ISDIR(node->mode) ? DT_DIR : S_ISLNK(node->mode) ? DT_LNK : DT_REG;
    memcpy(entry->d_name, node->name, node->name_len);
    entry->d_name[node->name_len] = '\0';
    return entry;
}

int closedir(DIR *dir)
{
    int fd = dir->fd;

    free(dir);
    return close(fd);
}

int dirfd(DIR *dir)
{
    return dir->fd;
}

void rewinddir(DIR *dir)
{
    dir->next = dir->node->first;
    dir->at = 0;
}

long telldir(DIR *dir)
{
    return dir->at;
}

void seekdir(DIR *dir, long at)
{
    rewinddir(dir);
    for (; dir->at < at && dir->next; dir->at++)
        dir->next = dir->next->next;
}
