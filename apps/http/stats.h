/* SPDX-License-Identifier: MIT
 *
 * Figures of the domain.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* As JSON. How many bytes. */
size_t stats_write(char *out, size_t size);

/* server.c: of all workers. */
void serve_count(unsigned int *clients, uint64_t *requests);
