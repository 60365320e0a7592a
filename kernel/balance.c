/* SPDX-License-Identifier: MIT
 *
 * Which vCPU runs a thread.  A woken thread goes back to its vCPU if that is idle or runs something
 * worse, else to an idle one, else to one that runs something worse.  A vCPU without work takes
 * some before it blocks.  When all are busy, a thread whose slice ended moves to where fewer of its
 * equals are, so that they get equal shares.  What others' queues hold is read without their locks:
 * a wrong guess costs time, not correctness.
 */
#include "events/events.h"
#include "kernel/sched_private.h"

/* How many vCPUs an ordinary thread looks at for something worse than itself. */
#define WORSE_LOOKS 8

struct vcpu_set sched_vcpus;
/* vCPUs that are about to block, or have. */
static struct vcpu_set idle_vcpus;

static struct runq *runq_of(unsigned int vcpu)
{
    return percpus[vcpu]->runq;
}

bool sched_accepts(const struct runq *rq, const struct thread *thread)
{
    return !rq->cpu->leaving && vcpu_set_has(&thread->affinity, rq->cpu->vcpu);
}

/* An idle vCPU, no longer marked so: whoever clears the bit sends the event, and the next one looks
 * elsewhere. */
static struct runq *claim_idle(const struct vcpu_set *affinity)
{
    for (unsigned int word = 0; word < ARRAY_SIZE(idle_vcpus.bits); word++) {
        unsigned long bits = load_once(&idle_vcpus.bits[word]) & affinity->bits[word];

        for (; bits; bits &= bits - 1) {
            unsigned int vcpu = word * BITS_PER_LONG + lowest_bit(bits);

            if (vcpu_set_remove(&idle_vcpus, vcpu))
                return runq_of(vcpu);
        }
    }
    return NULL;
}

/* A vCPU that accepts the thread and is not `rq`, in a ring from there; advances *vcpu, which
 * begins as that of `rq`. NULL: round. */
static struct runq *next_candidate(const struct runq *rq, const struct thread *thread,
                                   unsigned int *vcpu)
{
    unsigned int own = rq->cpu->vcpu;
    bool wrapped = *vcpu < own;

    for (;;) {
        *vcpu = vcpu_set_next(&sched_vcpus, *vcpu + 1);
        if (*vcpu == VCPU_SET_NONE && !wrapped) {
            wrapped = true;
            *vcpu = vcpu_set_first(&sched_vcpus);
        }
        if (wrapped && *vcpu >= own)
            return NULL;
        if (vcpu_set_has(&thread->affinity, *vcpu))
            return runq_of(*vcpu);
    }
}

/* The vCPU that runs the worst thread, and a worse one than this; NULL. */
static struct runq *find_worse(const struct runq *rq, const struct thread *thread)
{
    unsigned int looks = thread->priority < PRIORITY_NORMAL ? MAX_VCPUS : WORSE_LOOKS;
    unsigned int vcpu = rq->cpu->vcpu, worst = thread->priority;
    struct runq *found = NULL, *other;

    while (looks-- > 0 && (other = next_candidate(rq, thread, &vcpu))) {
        unsigned int running = load_once(&other->running);

        if (running > worst && load_once(&other->ready) >> thread->priority == 0) {
            worst = running;
            found = other;
        }
    }
    return found;
}

/* How many threads of this priority share the vCPU; UINT32_MAX if a better one has it. */
static unsigned int load_at(const struct runq *rq, unsigned int priority)
{
    unsigned int running = load_once(&rq->running);
    uint64_t better = (1ULL << priority) - 1;

    if (running < priority || load_once(&rq->ready) & better)
        return UINT32_MAX;
    return load_once(&rq->level[priority].count) + (running == priority);
}

/* The other vCPU where fewest equals would share with the thread, if fewer than `limit`; the next
 * one after `rq` of several. */
static struct runq *find_lightest(const struct runq *rq, const struct thread *thread,
                                  unsigned int limit)
{
    unsigned int vcpu = rq->cpu->vcpu;
    struct runq *found = NULL, *other;

    while (limit > 0 && (other = next_candidate(rq, thread, &vcpu))) {
        unsigned int load = load_at(other, thread->priority);

        if (load < limit) {
            limit = load;
            found = other;
        }
    }
    return found;
}

/* A queue that accepts the thread when `rq` doesn't. If the affinity has no vCPU left, any. */
static struct runq *elsewhere(struct runq *rq, const struct thread *thread)
{
    unsigned int vcpu = rq->cpu->vcpu;
    struct runq *other = claim_idle(&thread->affinity);

    if (!other)
        other = find_lightest(rq, thread, UINT32_MAX);
    if (!other)
        other = next_candidate(rq, thread, &vcpu);
    if (other)
        return other;
    return rq->cpu->leaving ? runq_of(0) : rq;
}

/* The thread goes on to `other`. held: rq->lock, then that of `other` */
static struct runq *move(struct runq *rq, struct thread *thread, struct runq *other)
{
    thread->state = THREAD_MOVING;
    store_release(&thread->runq, other); /* pairs with sched_lock_thread(); rq's last word on it */
    spin_unlock(&rq->lock);
    spin_lock(&other->lock);
    return other;
}

/* rq->lock is held on entry, not on return. */
static void place_here(struct runq *rq, struct thread *thread)
{
    while (!sched_accepts(rq, thread)) {
        struct runq *other = elsewhere(rq, thread);

        if (other == rq)
            break;
        rq = move(rq, thread, other);
    }
    thread->must_move = false;
    thread->attention = thread->async_due;
    sched_enqueue(rq, thread, false);
    sched_check(rq, thread);
    spin_unlock(&rq->lock);
}

/* Does the thread run at once where it was last? held: rq->lock */
static bool runs_here(const struct runq *rq, const struct thread *thread)
{
    const struct thread *current = rq->cpu->current;

    return thread->priority < (current == rq->idle ? sched_best(rq) : current->priority);
}

void sched_place(struct thread *thread, struct runq *rq)
{
    /* Who was idle when claimed may have found something meanwhile. */
    for (unsigned int tries = 0; tries < 3; tries++) {
        struct runq *better;

        if (!sched_accepts(rq, thread) || runs_here(rq, thread))
            break;
        better = claim_idle(&thread->affinity);
        if (!better)
            better = find_worse(rq, thread);
        if (!better || better == rq)
            break;
        rq = move(rq, thread, better);
    }
    place_here(rq, thread);
}

void sched_place_moving(struct thread *thread)
{
    struct runq *rq = thread->runq;

    spin_lock(&rq->lock);
    place_here(rq, thread);
}

struct runq *sched_lighter(struct runq *rq, const struct thread *thread)
{
    return find_lightest(rq, thread, rq->level[thread->priority].count + 1);
}

void sched_push(struct runq *rq)
{
    struct thread *thread = NULL;
    struct runq *to = NULL;

    spin_lock(&rq->lock);
    for (uint64_t bits = rq->ready; bits && !to; bits &= bits - 1) {
        unsigned int priority = __builtin_ctzll(bits);
        struct level *level = &rq->level[priority];

        thread = list_entry(level->threads.next, struct thread, run);
        to = find_lightest(rq, thread, rq->running < priority ? UINT32_MAX : level->count + 1);
    }
    if (to) {
        sched_remove(rq, thread);
        store_release(&thread->runq, to); /* pairs with sched_lock_thread() */
    }
    spin_unlock(&rq->lock);
    if (to)
        sched_place_moving(thread);
}

void sched_invite(const struct percpu *busy, const struct thread *waiting)
{
    struct runq *idle;

    memory_barrier(); /* the thread is in its queue before we look who is idle; see sched_take() */
    idle = claim_idle(&waiting->affinity);
    if (idle && idle->cpu != busy && idle->cpu != this_percpu())
        sched_kick_soon(idle);
}

/* The best ready thread that may run on `vcpu`. held: busy->lock */
static struct thread *first_movable(const struct runq *busy, unsigned int vcpu)
{
    for (uint64_t bits = busy->ready; bits; bits &= bits - 1) {
        const struct list *threads = &busy->level[__builtin_ctzll(bits)].threads;
        struct list *item;

        list_for_each (item, threads) {
            struct thread *thread = list_entry(item, struct thread, run);

            if (vcpu_set_has(&thread->affinity, vcpu))
                return thread;
        }
    }
    return NULL;
}

static bool take_from(struct runq *rq, struct runq *busy)
{
    struct thread *thread;

    if (!load_once(&busy->ready) || load_once(&busy->cpu->current) == busy->idle)
        return false;
    spin_lock(&busy->lock);
    thread = first_movable(busy, rq->cpu->vcpu);
    if (thread) {
        sched_remove(busy, thread);
        store_release(&thread->runq, rq); /* pairs with sched_lock_thread() */
    }
    spin_unlock(&busy->lock);
    if (thread)
        sched_place_moving(thread);
    return thread != NULL;
}

bool sched_take(struct runq *rq)
{
    unsigned int vcpu;

    vcpu_set_for_each(vcpu, &sched_vcpus)
    {
        if (runq_of(vcpu) != rq && take_from(rq, runq_of(vcpu)))
            return true;
    }
    return false;
}

void sched_idle_begin(unsigned int vcpu)
{
    vcpu_set_add(&idle_vcpus, vcpu); /* a full barrier, before sched_take() looks */
}

void sched_idle_end(unsigned int vcpu)
{
    if (vcpu_set_has(&idle_vcpus, vcpu))
        vcpu_set_remove(&idle_vcpus, vcpu);
}
