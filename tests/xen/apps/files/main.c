/* SPDX-License-Identifier: MIT
 *
 * Says what files the domain has, a line for each with the CRC-32 (of zlib, as dom0's `crc32` has
 * it), and tries on the first one that is not empty what a program may do to it.
 *
 *   fill     uses all memory, and says what is in that file then
 *   write    writes into a module
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mm/module.h"

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

static uint32_t add_byte(uint32_t sum, unsigned char byte)
{
    sum ^= byte;
    for (unsigned int i = 0; i < 8; i++)
        sum = sum & 1 ? sum >> 1 ^ 0xedb88320 : sum >> 1;
    return sum;
}

/* Its sum, and its size in *size, without a buffer of stdio's. */
static uint32_t sum_of(const char *path, size_t *size)
{
    static unsigned char buffer[4096];
    int fd = open(path, O_RDONLY);
    uint32_t sum = UINT32_MAX;
    ssize_t got;

    CHECK(fd >= 0);
    *size = 0;
    while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
        for (ssize_t i = 0; i < got; i++)
            sum = add_byte(sum, buffer[i]);
        *size += (size_t)got;
    }
    CHECK(got == 0 && close(fd) == 0);
    return ~sum;
}

static void show_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint32_t sum;
    size_t size;

    CHECK(stat(path, &st) == 0);
    sum = sum_of(path, &size);
    CHECK(size == (size_t)st.st_size);
    CHECK(file && (getc(file) == EOF) == (size == 0) && fclose(file) == 0);
    printf("%s %o %zu %08" PRIx32 "\n", path, (unsigned int)st.st_mode, size, sum);
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
            show_file(below);
        }
    }
    if (dir)
        CHECK(closedir(dir) == 0);
}

static void try(const char *path)
{
    const off_t far = (off_t)1 << (sizeof(off_t) * 8 - 2); /* behind the end of any file */
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
    CHECK(lseek(fd, far, SEEK_SET) == far && read(fd, b, sizeof(b)) == 0);
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

/* Use all memory there is. */
static void fill(void)
{
    size_t size = 1 << 20, all = 0;

    while (size >= 64) {
        char *block = malloc(size);

        if (block)
            memset(block, 0xa5, size);
        else
            size /= 2;
        all += block ? size : 0;
    }
    printf("filled %zu KiB\n", all / 1024);
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    size_t size;

    show("");
    printf("%u files, %u directories, %llu bytes\n", files, directories, bytes);
    if (strcmp(mode, "write") == 0) /* goes down: it is mapped to be read */
        *(volatile char *)module_map(module_get(0)) = 1;
    if (*first)
        try(first);
    if (strcmp(mode, "fill") == 0) {
        fill();
        printf("%s has the sum %08" PRIx32 "\n", first, sum_of(first, &size));
    }
    printf("%u checks failed\n", failures);
    return failures != 0;
}
