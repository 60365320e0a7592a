/* SPDX-License-Identifier: MIT
 *
 * Archives that lie in memory: cpio (newc) and tar (ustar, with the long names of GNU and of pax).
 * Entries are found, not copied, and only what they say is looked at, not believed: what is handed
 * out lies within the archive.  No state outside of struct archive; any context.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_entry {
    const char *prefix,
        *path; /* "prefix/path", as it is written there: maybe absolute, with ".." */
    size_t prefix_len, path_len; /* 0: there is none */
    const char *data;            /* of a file; where a symbolic or hard link leads */
    size_t size;
    enum { ENTRY_FILE, ENTRY_DIRECTORY, ENTRY_SYMLINK, ENTRY_HARD_LINK, ENTRY_OTHER } type;
    unsigned int permissions; /* 07777 */
    int64_t mtime;            /* s since 1970 */
    /* cpio: entries with the same number, which is not 0, are one file; one of them has its data.
     */
    uint64_t same;
};

struct archive {
    const char *bytes;
    size_t size, at;   /* where the next entry is; after an error, where it is wrong */
    const char *kind;  /* "cpio", "tar" */
    const char *wrong; /* what, after an error */
    unsigned int part; /* cpio: of several, one behind the other */
    int (*next)(struct archive *archive, struct archive_entry *entry);
};

/* Is it an archive? Then the first entry comes next. */
bool archive_open(struct archive *archive, const void *bytes, size_t size);
/* 1: *entry is the next one. 0: that was all. -EINVAL: see archive->wrong, and ask no more. */
int archive_next(struct archive *archive, struct archive_entry *entry);

/* For the two formats: is it one, and its first entry. */
bool cpio_open(struct archive *archive);
bool tar_open(struct archive *archive);
/* `what` is wrong at `at`: -EINVAL. */
int archive_wrong(struct archive *archive, size_t at, const char *what);
/* Is there nothing but zeroes from `at` on? Else where: archive->at. */
bool archive_ends(struct archive *archive, size_t at);
