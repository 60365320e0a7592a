/* SPDX-License-Identifier: MIT
 *
 * Between the fake xenstored's daemon (fake_xenstored.c) and what it holds (fake_xenstored_tree.c).
 * All with its lock held.
 */
#pragma once
#include "tests/host/fake_xenstored.h"

/* To the guest, as soon as there is room. */
void xenstored_send(uint32_t type, uint32_t req_id, uint32_t tx_id, const void *payload,
                    uint32_t len);

/* "OK", an error's name, or NULL when the reply was sent. */
const char *tree_answer(const struct xsd_sockmsg *request, const char *payload);
void tree_set(const char *path, const char *value);
/* With all below; false: there was none. */
bool tree_remove(const char *path);
const char *tree_value(const char *path); /* NULL: there is none */
/* How many there are on `path`; the token of the last. */
unsigned int tree_watches(const char *path, const char **token);
void tree_forget_watches(void);
