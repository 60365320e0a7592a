/* SPDX-License-Identifier: MIT
 *
 * Says what files the domain has, a line for each with a checksum like that of cksum -a bsd, and
 * tries on the first one with bytes, or on the one that is named, what a program may do to it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned int failures, files, directories;
static unsigned long long bytes;
static char first[1024];

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            printf("failed: line %d: %s (errno %d)\n", __LINE__, #cond, errno);                    \
            failures++;                                                                            \
        }                                                                                          \
    } while (0)
#define REFUSED(call, error)                                                                       \
    do {                                                                                           \
        errno = 0;                                                                                 \
        CHECK((call) == -1 && errno == (error));                                                   \
    } while (0)

static void show_file(const char *path, const struct stat *st)
{
    FILE *file = fopen(path, "rb");
    unsigned int sum = 0;
    size_t size = 0;
    int byte;

    CHECK(file != NULL);
    if (!file)
        return;
    while ((byte = getc(file)) != EOF) {
        sum = ((sum >> 1 | sum << 15) + (unsigned int)byte) & 0xffff;
        size++;
    }
    CHECK(fclose(file) == 0);
    CHECK(size == (size_t)st->st_size);
    printf("%s %o %zu %u\n", path, (unsigned int)st->st_mode, size, sum);
    if (!*first && size)
        strcpy(first, path);
    files++;
    bytes += size;
}

static void show(const char *path)
{
    DIR *dir = opendir(*path ? path : "/");
    struct dirent *entry;

    CHECK(dir != NULL);
    directories++;
    while (dir && (entry = readdir(dir))) {
        char below[1024], target[256];
        struct stat st;
        ssize_t len;

        snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        CHECK(lstat(below, &st) == 0);
        CHECK(st.st_ino == entry->d_ino);
        if (S_ISDIR(st.st_mode)) {
            CHECK(entry->d_type == DT_DIR);
            printf("%s/ %o\n", below, (unsigned int)st.st_mode);
            show(below);
        } else if (S_ISLNK(st.st_mode)) {
            len = readlink(below, target, sizeof(target));
            CHECK(len >= 0 && entry->d_type == DT_LNK);
            printf("%s -> %.*s\n", below, (int)len, target);
        } else {
            CHECK(entry->d_type == DT_REG);
            show_file(below, &st);
        }
    }
    if (dir)
        CHECK(closedir(dir) == 0);
}

static void try(const char *path)
{
    struct stat by_path, by_fd;
    char a[64], b[64];
    int fd = open(path, O_RDONLY);
    ssize_t got;

    CHECK(fd >= 0);
    CHECK(stat(path, &by_path) == 0 && fstat(fd, &by_fd) == 0);
    CHECK(memcmp(&by_path, &by_fd, sizeof(by_fd)) == 0);
    got = read(fd, a, sizeof(a));
    CHECK(got == (by_fd.st_size < 64 ? by_fd.st_size : 64));
    CHECK(lseek(fd, 0, SEEK_CUR) == got);
    CHECK(pread(fd, b, sizeof(b), 0) == got && memcmp(a, b, (size_t)got) == 0);
    CHECK(lseek(fd, -1, SEEK_END) == by_fd.st_size - 1);
    CHECK(read(fd, b, sizeof(b)) == 1 && read(fd, b, sizeof(b)) == 0);
    CHECK(lseek(fd, 1L << 40, SEEK_SET) == 1L << 40 && read(fd, b, sizeof(b)) == 0);
    REFUSED(lseek(fd, -1, SEEK_SET), EINVAL);
    REFUSED(write(fd, a, 1), EBADF);
    CHECK(close(fd) == 0);
    REFUSED(read(fd, a, 1), EBADF);
    REFUSED(open(path, O_WRONLY), EROFS);
    REFUSED(open(path, O_RDWR | O_TRUNC), EROFS);
    REFUSED(open(path, O_RDONLY | O_CREAT | O_EXCL, 0666), EEXIST);
    REFUSED(open("/new", O_WRONLY | O_CREAT, 0666), EROFS);
    REFUSED(open(path, O_RDONLY | O_DIRECTORY), ENOTDIR);
    REFUSED(open("/", O_WRONLY), EISDIR);
    REFUSED(unlink(path), EROFS);
    REFUSED(remove(path), EROFS);
    REFUSED(rename(path, "/new"), EROFS);
    REFUSED(link(path, "/new"), EROFS);
    REFUSED(mkdir("/new", 0777), EROFS);
    REFUSED(chmod(path, 0777), EROFS);
    REFUSED(access(path, W_OK), EROFS);
    CHECK(access(path, R_OK) == 0);
    CHECK(fopen(path, "r+") == NULL && errno == EROFS);
    fd = open("/", O_RDONLY);
    REFUSED(read(fd, a, 1), EISDIR);
    CHECK(close(fd) == 0);
}

int main(int argc, char **argv)
{
    show("");
    printf("%u files, %u directories, %llu bytes\n", files, directories, bytes);
    if (*first)
        try(argc > 1 ? argv[1] : first);
    printf("%u checks failed\n", failures);
    return failures != 0;
}
