/* SPDX-License-Identifier: MIT
 *
 * Files: the domain's modules (mm/module.h) as a tree that can only be read.  An archive's files
 * are where the module's text says, or at the root; what is no archive is a file itself. Everything
 * is read where the loader put it.  The modules are looked at when a path is first used.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "kernel/mutex.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "libc/archive.h"
#include "libc/blocking.h"
#include "libc/fd.h"
#include "libc/files.h"
#include "mm/kmem.h"
#include "mm/module.h"

#define GZIP "\x1f\x8b"

/* --- the modules ----------------------------------------------------------------------------- */

/* Where module `n` is to be: the first word of its text, else `otherwise`. */
static const char *place(const struct module *module, char *out, const char *otherwise)
{
    size_t len = strcspn(module->text, " \t");

    if (len == 0)
        return otherwise;
    memcpy(out, module->text, len);
    out[len] = '\0';
    return out;
}

static void add_file(unsigned int n, const struct module *module, const char *bytes)
{
    static char names[MODULES_MAX][MODULE_TEXT_MAX]; /* the tree points at them */
    static char numbered[MODULES_MAX][16];
    const char *path, *wrong;

    format_text(numbered[n], sizeof(numbered[n]), "module%u", n);
    path = place(module, names[n], numbered[n]);
    if (module->size >= 2 && memcmp(bytes, GZIP, 2) == 0)
        log_warn("module %u is compressed (gzip): it is the file %s", n, path);
    wrong = tree_add_file(path, bytes, module->size);
    if (wrong)
        log_error("module %u, file %s: %s", n, path, wrong);
}

static void add_archive(unsigned int n, const struct module *module, struct archive *archive)
{
    static char names[MODULES_MAX][MODULE_TEXT_MAX];
    const char *path = place(module, names[n], "");
    int entries = tree_add_archive(archive, path);

    if (entries < 0)
        log_error("module %u, %s archive of %zu bytes at /%s: at byte %zu: %s", n, archive->kind,
                  module->size, path + (*path == '/'), archive->at, archive->wrong);
    else
        log_info("module %u: %s archive with %d entries at /%s", n, archive->kind, entries,
                 path + (*path == '/'));
}

static void add_modules(void)
{
    for (unsigned int n = 0; n < module_count(); n++) {
        const struct module *module = module_get(n);
        const void *bytes = module_map(module);
        struct archive archive;

        if (!bytes)
            log_error("module %u: no memory to map its %zu bytes", n, module->size);
        else if (archive_open(&archive, bytes, module->size))
            add_archive(n, module, &archive);
        else
            add_file(n, module, bytes);
    }
}

int files_find(const char *path, bool follow, const struct node **found)
{
    static struct mutex mutex = MUTEX_INIT(mutex);
    static bool added;

    if (!load_acquire(&added)) {
        mutex_lock(&mutex);
        if (!added)
            add_modules();
        store_release(&added, true);
        mutex_unlock(&mutex);
    }
    return tree_find(path, follow, found);
}

/* --- open files ------------------------------------------------------------------------------ */

struct open_file {
    const struct node *node;
    off_t at; /* atomic */
};

/* What there is from `at` on, copied; how many bytes. */
static ssize_t copy_out(const struct content *content, void *out, size_t len, off_t at)
{
    if ((size_t)at >= content->size)
        return 0;
    len = MIN(len, content->size - (size_t)at);
    memcpy(out, content->data + at, len);
    return (ssize_t)len;
}

static ssize_t tree_file_read(struct file *file, void *out, size_t len)
{
    struct open_file *open = file_data(file);
    const struct content *content = open->node->content;
    off_t at = load_once(&open->at);
    size_t left;

    if (!content)
        return -EISDIR;
    do {
        left = (size_t)at < content->size ? content->size - (size_t)at : 0;
    } while (!atomic_compare_exchange(&open->at, &at, at + (off_t)MIN(len, left)));
    return copy_out(content, out, len, at);
}

static off_t tree_file_seek(struct file *file, off_t offset, int whence)
{
    struct open_file *open = file_data(file);
    const struct content *content = open->node->content;
    off_t from = whence == SEEK_SET   ? 0
                 : whence == SEEK_CUR ? load_once(&open->at)
                 : whence == SEEK_END ? (off_t)(content ? content->size : 0)
                                      : -1;

    if (from < 0 || __builtin_add_overflow(from, offset, &offset) || offset < 0)
        return -EINVAL;
    store_once(&open->at, offset);
    return offset;
}

static int tree_file_stat(struct file *file, struct stat *st)
{
    struct open_file *open = file_data(file);

    files_stat(open->node, st);
    return 0;
}

static void tree_file_close(struct file *file)
{
    kmem_free(file_data(file));
}

static const struct file_ops tree_file_ops = {
    .read = tree_file_read,
    .seek = tree_file_seek,
    .stat = tree_file_stat,
    .close = tree_file_close,
};

const struct node *files_node(int fd)
{
    struct file *file = file_get(fd);
    const struct node *node = NULL;

    if (file && file_ops(file) == &tree_file_ops)
        node = ((struct open_file *)file_data(file))->node;
    if (file)
        file_put(file);
    return node;
}

void files_stat(const struct node *node, struct stat *st)
{
    const struct content *content = node->content;

    memset(st, 0, sizeof(*st));
    st->st_dev = 1;
    st->st_ino = (ino_t)(content ? content->number : node->number);
    st->st_mode = node->mode;
    st->st_nlink = (nlink_t)(content ? content->links : 1);
    st->st_size = content ? (off_t)content->size : 0;
    st->st_mtime = st->st_ctime = st->st_atime = node->mtime;
    st->st_blksize = 4096;
    st->st_blocks = (st->st_size + 511) / 512;
}

/* --- by path --------------------------------------------------------------------------------- */

/* May a path be opened with these flags? `rc`: of looking for it. 0 or an error. */
static int may_open(int rc, const struct node *node, int flags)
{
    bool changes = (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;

    if (rc == -ENOENT && flags & O_CREAT)
        return -EROFS;
    if (rc)
        return rc;
    if (flags & O_CREAT && flags & O_EXCL)
        return -EEXIST;
    if (S_ISLNK(node->mode)) /* O_NOFOLLOW */
        return -ELOOP;
    if (changes)
        return node->content ? -EROFS : -EISDIR;
    return flags & O_DIRECTORY && node->content ? -ENOTDIR : 0;
}

int open(const char *path, int flags, ...)
{
    const struct node *node = NULL;
    struct open_file *open;
    int rc = files_find(path, !(flags & O_NOFOLLOW), &node);

    rc = may_open(rc, node, flags);
    if (rc)
        return (int)libc_result(rc);
    open = kmem_alloc(sizeof(*open));
    if (!open)
        return (int)libc_result(-ENOMEM);
    open->node = node;
    rc = fd_open(&tree_file_ops, open, O_RDONLY | (flags & O_NONBLOCK));
    if (rc < 0)
        kmem_free(open);
    return (int)libc_result(rc);
}

static int stat_path(const char *path, bool follow, struct stat *st)
{
    const struct node *node;
    int rc = files_find(path, follow, &node);

    if (rc == 0)
        files_stat(node, st);
    return (int)libc_result(rc);
}

int stat(const char *restrict path, struct stat *restrict st)
{
    return stat_path(path, true, st);
}

int lstat(const char *restrict path, struct stat *restrict st)
{
    return stat_path(path, false, st);
}

int access(const char *path, int mode)
{
    const struct node *node;
    int rc = files_find(path, true, &node);

    return (int)libc_result(rc ? rc : mode & W_OK ? -EROFS : 0);
}

ssize_t readlink(const char *restrict path, char *restrict out, size_t len)
{
    const struct node *node;
    ssize_t rc = files_find(path, false, &node);

    if (rc == 0)
        rc = S_ISLNK(node->mode) ? copy_out(node->content, out, len, 0) : -EINVAL;
    return libc_result(rc);
}

ssize_t pread(int fd, void *out, size_t len, off_t at)
{
    struct file *file = file_get(fd); /* held: the node's contents are always there */
    const struct node *node = files_node(fd);
    ssize_t rc = !file ? -EBADF : !node ? -ESPIPE : !node->content ? -EISDIR : -EINVAL;

    if (node && node->content && at >= 0)
        rc = copy_out(node->content, out, len, at);
    if (file)
        file_put(file);
    return libc_result(rc);
}

/* --- what is not possible -------------------------------------------------------------------- */

/* To take something away, or to change it. */
static int refuse(const char *path)
{
    const struct node *node;
    int rc = files_find(path, false, &node);

    return (int)libc_result(rc ? rc : -EROFS);
}

/* To make something. */
static int refuse_new(const char *path)
{
    const struct node *node;
    int rc = files_find(path, false, &node);

    return (int)libc_result(rc == 0 ? -EEXIST : rc == -ENOENT ? -EROFS : rc);
}

int unlink(const char *path)
{
    return refuse(path);
}

int rmdir(const char *path)
{
    return refuse(path);
}

int chmod(const char *path, mode_t mode)
{
    (void)mode;
    return refuse(path);
}

int truncate(const char *path, off_t size)
{
    (void)size;
    return refuse(path);
}

int mkdir(const char *path, mode_t mode)
{
    (void)mode;
    return refuse_new(path);
}

int symlink(const char *to, const char *path)
{
    (void)to;
    return refuse_new(path);
}

int link(const char *from, const char *to)
{
    const struct node *node;
    int rc = files_find(from, false, &node);

    return rc ? (int)libc_result(rc) : refuse_new(to);
}
