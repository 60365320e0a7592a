/* SPDX-License-Identifier: MIT
 *
 * Doubly linked lists whose links live in the listed things.  An empty list points at itself.
 * The lock that guards a list is named where the list is declared.
 */
#pragma once
#include "lib/types.h"

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(name)                                                                            \
    {                                                                                              \
        &(name), &(name)                                                                           \
    }
#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_for_each(it, head)       for ((it) = (head)->next; (it) != (head); (it) = (it)->next)
/* `it` may be removed in the body. */
#define list_for_each_safe(it, tmp, head)                                                          \
    for ((it) = (head)->next, (tmp) = (it)->next; (it) != (head); (it) = (tmp), (tmp) = (it)->next)

static inline void list_init(struct list *head)
{
    head->next = head->prev = head;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_add_after(struct list *where, struct list *item)
{
    item->next = where->next;
    item->prev = where;
    where->next->prev = item;
    where->next = item;
}

static inline void list_add_first(struct list *head, struct list *item)
{
    list_add_after(head, item);
}

static inline void list_add_last(struct list *head, struct list *item)
{
    list_add_after(head->prev, item);
}

/* Leaves `item` as an empty list, so that removing it again does no harm. */
static inline void list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

/* The first item, taken off; NULL when there is none. */
static inline struct list *list_take_first(struct list *head)
{
    struct list *item = head->next;

    if (item == head)
        return NULL;
    list_remove(item);
    return item;
}
