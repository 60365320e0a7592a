/* SPDX-License-Identifier: MIT
 *
 * Between libc/files.c and libc/directory.c.
 */
#pragma once
#include "libc/tree.h"

/* Like tree_find(), with the modules in the tree. Thread context. */
int files_find(const char *path, bool follow, const struct node **found);
/* What an open descriptor is of: its node, or NULL. Thread context. */
const struct node *files_node(int fd);
void files_stat(const struct node *node, struct stat *st);
