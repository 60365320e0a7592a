/* SPDX-License-Identifier: MIT
 *
 * Names of hosts: what needs no server, and lwIP's DNS client for the rest.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/time.h"
#include "lwip/dns.h"
#include "net/resolve.h"
#include "net/socket.h"

/* lwIP asks each server for 7 s and gives up then: this is for its mistakes. */
#define ANSWER_NS ((DNS_MAX_SERVERS + 1) * 7 * NS_PER_S)

static unsigned int asking; /* held: net lock; questions without an answer */

/* One question; freed by whoever is last, the asker or lwIP's answer. held: net lock */
struct question {
    struct waitq q;
    ip_addr_t answer;
    bool answered, found;
    unsigned int users;
};

static void question_put(struct question *question)
{
    if (--question->users == 0)
        free(question);
}

static void answered(const char *name, const ip_addr_t *answer, void *arg)
{
    struct question *question = arg;

    (void)name;
    question->answered = true;
    asking--;
    question->found = answer != NULL;
    if (answer)
        question->answer = *answer;
    waitq_wake_all(&question->q);
    question_put(question);
}

bool resolve_is_asking(void)
{
    return asking > 0;
}

/* held: net lock */
static int ask(struct question *question, const char *name, uint8_t type)
{
    uint64_t deadline_ns = time_after_ns(ANSWER_NS);
    err_t err;

    if (ip_addr_isany(dns_getserver(0)))
        return EAI_AGAIN; /* nobody to ask, perhaps not yet */
    question->users++;
    asking++;
    err = dns_gethostbyname_addrtype(name, &question->answer, answered, question, type);
    if (err != ERR_INPROGRESS) {
        question->users--;
        asking--;
        return err == ERR_OK ? 0 : err == ERR_MEM ? EAI_MEMORY : EAI_FAIL;
    }
    net_flush();
    while (!question->answered) {
        int rc = net_sleep(&question->q, deadline_ns);

        if (rc == -XEN_EINTR) {
            errno = EINTR;
            return EAI_SYSTEM;
        }
        if (rc)
            return EAI_AGAIN;
    }
    return question->found ? 0 : EAI_NONAME;
}

int resolve_by_dns(const char *name, bool v6, ip_addr_t *answer)
{
    struct question *question = malloc(sizeof(*question));
    int rc;

    if (!question)
        return EAI_MEMORY;
    *question = (struct question){ .q = WAITQ_INIT_RANK(question->q, LOCK_CONDITION), .users = 1 };
    net_lock();
    rc = ask(question, name, v6 ? LWIP_DNS_ADDRTYPE_IPV6 : LWIP_DNS_ADDRTYPE_IPV4);
    *answer = question->answer;
    question_put(question);
    net_unlock();
    return rc;
}

bool resolve_local(const char *name, bool v6, ip_addr_t *answer)
{
    struct in_addr in;
    struct in6_addr in6;

    if (strcmp(name, "localhost") == 0 || strcmp(name, "localhost.localdomain") == 0) {
        ip_addr_set_loopback(v6, answer);
        return true;
    }
    if (!v6 && inet_aton(name, &in)) {
        ip_addr_set_ip4_u32(answer, in.s_addr);
        return true;
    }
    if (v6 && inet_pton(AF_INET6, name, &in6) == 1) {
        IP_ADDR6(answer, in6.s6_addr32[0], in6.s6_addr32[1], in6.s6_addr32[2], in6.s6_addr32[3]);
        return true;
    }
    return false;
}
