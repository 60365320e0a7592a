/* SPDX-License-Identifier: MIT
 *
 * Semaphores with names.  The names are the program's own: nobody else sees them.
 */
#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdarg.h>
#include <string.h>
#include "kernel/mutex.h"
#include "lib/list.h"
#include "mm/kmem.h"

#define NAME_LENGTH_MAX 251 /* without the slash */

struct named {
    struct list all;
    unsigned int opened;
    bool unlinked; /* its name is free for another one; it lives until nobody has it open */
    sem_t sem;
    char name[];
};

static struct mutex names_lock = MUTEX_INIT(names_lock);
static struct list names = LIST_INIT(names); /* held: names_lock */

/* held: names_lock */
static struct named *find(const char *name)
{
    struct list *it;

    list_for_each (it, &names) {
        struct named *named = list_entry(it, struct named, all);

        if (!named->unlinked && strcmp(named->name, name) == 0)
            return named;
    }
    return NULL;
}

/* The name without its slash, which it need not have; NULL: *error. */
static const char *check_name(const char *name, int *error)
{
    if (*name == '/')
        name++;
    *error = *name == '\0' || strchr(name, '/') ? EINVAL
             : strlen(name) > NAME_LENGTH_MAX   ? ENAMETOOLONG
                                                : 0;
    return *error ? NULL : name;
}

/* held: names_lock */
static struct named *create(const char *name, unsigned int value, int *error)
{
    size_t len = strlen(name) + 1;
    struct named *named;

    *error = value > SEM_VALUE_MAX ? EINVAL : ENOSPC;
    if (value > SEM_VALUE_MAX)
        return NULL;
    named = kmem_alloc(sizeof(*named) + len);
    if (!named)
        return NULL;
    memcpy(named->name, name, len);
    sem_init(&named->sem, 0, value);
    list_add_last(&names, &named->all);
    return named;
}

/* held: names_lock */
static void drop(struct named *named)
{
    if (named->opened > 0 || !named->unlinked)
        return;
    list_remove(&named->all);
    kmem_free(named);
}

sem_t *sem_open(const char *name, int flags, ...)
{
    struct named *named;
    unsigned int value = 0;
    va_list args;
    int error;

    va_start(args, flags);
    if (flags & O_CREAT) {
        (void)va_arg(args, int); /* the mode: there is one user */
        value = va_arg(args, unsigned int);
    }
    va_end(args);
    name = check_name(name, &error);
    if (!name) {
        errno = error;
        return SEM_FAILED;
    }
    mutex_lock(&names_lock);
    named = find(name);
    if (named && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
        error = EEXIST;
        named = NULL;
    } else if (!named && !(flags & O_CREAT)) {
        error = ENOENT;
    } else if (!named) {
        named = create(name, value, &error);
    }
    if (named)
        named->opened++;
    mutex_unlock(&names_lock);
    if (!named)
        errno = error;
    return named ? &named->sem : SEM_FAILED;
}

int sem_close(sem_t *sem)
{
    struct list *it;
    bool found = false;

    mutex_lock(&names_lock);
    list_for_each (it, &names) {
        struct named *named = list_entry(it, struct named, all);

        if (&named->sem == sem && named->opened > 0) {
            found = true;
            named->opened--;
            drop(named);
            break;
        }
    }
    mutex_unlock(&names_lock);
    if (!found)
        errno = EINVAL;
    return found ? 0 : -1;
}

int sem_unlink(const char *name)
{
    struct named *named = NULL;
    int error;

    name = check_name(name, &error);
    if (name) {
        mutex_lock(&names_lock);
        named = find(name);
        if (named) {
            named->unlinked = true;
            drop(named);
        }
        mutex_unlock(&names_lock);
    }
    if (!named)
        errno = error == ENAMETOOLONG ? error : ENOENT;
    return named ? 0 : -1;
}
