/* SPDX-License-Identifier: MIT
 *
 * A socket: a file over one of lwIP's control blocks.  Each kind (stream, datagram) is a struct
 * socket_ops; the calls of <sys/socket.h> (net/api.c) and read(), write(), poll() come through
 * them.  Results are as those of struct file_ops: >= 0 or a negative errno.
 *
 * held: net lock, by everything in struct socket that says nothing else.
 */
#pragma once
#include <sys/socket.h>
#include "kernel/mutex.h"
#include "libc/fd.h"
#include "lwip/ip_addr.h"
#include "net/core.h"

struct netbuf;
struct pbuf;
struct raw_pcb;
struct socket;
struct tcp_pcb;
struct udp_pcb;

/* An address as lwIP has it. */
struct socket_name {
    ip_addr_t ip;
    uint16_t port;
    uint32_t scope; /* IPv6, link-local: the interface; 0: none */
};

struct socket_ops {
    int (*bind)(struct socket *s, const struct socket_name *name);
    int (*connect)(struct socket *s, const struct socket_name *name, uint64_t deadline_ns);
    int (*listen)(struct socket *s, int backlog);
    /* A new socket, not on any descriptor yet. */
    int (*accept)(struct socket *s, struct socket **connection, uint64_t deadline_ns);
    int (*shutdown)(struct socket *s, int how);
    int (*names)(struct socket *s, struct socket_name *own, struct socket_name *peer);
    /* MSG_* flags; `deadline_ns` 0: do not wait. Net lock not held. */
    ssize_t (*send)(struct socket *s, const struct msghdr *message, int flags,
                    uint64_t deadline_ns);
    ssize_t (*receive)(struct socket *s, struct msghdr *message, int flags, uint64_t deadline_ns);
    int (*readable)(struct socket *s); /* FIONREAD */
    /* What ready() shall say. */
    unsigned int (*ready)(struct socket *s);
    /* The end of it: lwIP's control block forgets us. */
    void (*close)(struct socket *s, uint64_t deadline_ns);
};

enum socket_state { SOCKET_NEW, SOCKET_CONNECTING, SOCKET_CONNECTED, SOCKET_LISTENING };

/* A datagram that came; in the socket's queue. */
struct datagram;

struct socket {
    const struct socket_ops *ops;
    int family, type, protocol;
    enum socket_state state;
    union {
        struct tcp_pcb *tcp; /* NULL: it is gone */
        struct udp_pcb *udp;
        struct raw_pcb *raw;
        void *pcb;
    };
    int error; /* SO_ERROR: what happened behind our back; positive */
    bool v6only, bound, forsaken, reading_shut, writing_shut, ended, pktinfo, nodelay;
    struct linger linger;
    struct membership *memberships;               /* net/group.c */
    uint64_t receive_timeout_ns, send_timeout_ns; /* 0: none */
    unsigned int receive_limit;                   /* bytes of datagrams */

    struct waitq q;       /* LOCK_CONDITION: who waits for a change of any of this */
    unsigned int changes; /* how often it changed */
    unsigned int waiting; /* how many are in q or about to be */
    unsigned int ready;   /* FD_*; written under the net lock, read without */
    struct fd_watchers watchers;

    /* Received: pbufs, each alone. */
    struct pbuf *received, **received_end;
    unsigned int received_len;
    unsigned int held_pages; /* of what was received, until it is read: net/budget.h */
    struct datagram *datagrams, **datagrams_end;

    /* A listener's: connections nobody accepted yet. */
    struct list pending;
    unsigned int pending_count;
    struct list in_pending;
    struct socket *listener;

    /* Stream: who reads, and what it took off `received`, guarded by `reader`. */
    struct mutex reader;
    struct pbuf *taken;
    unsigned int taken_len; /* read without the mutex */
    /* Who writes, and the page it fills. */
    struct mutex writer;
    struct netbuf *page;    /* between writes */
    struct netbuf *filling; /* the same during one; held: writer */
    unsigned int page_used; /* held: writer */
    const void *page_end;   /* where the last byte was put; held: writer */
};

/* A socket in no table, without a control block. NULL: no memory. */
struct socket *socket_new(const struct socket_ops *ops, int family, int type, int protocol);
/* And away with it: its control block is gone. Net lock not held. */
void socket_free(struct socket *s);
/* Put it on the lowest free descriptor: that, or a negative errno. Net lock not held. */
int socket_open(struct socket *s, int flags);

/* Something of it changed: whoever waits looks again. held: net lock */
void socket_changed(struct socket *s);
/* Sleep until it changes: 0; -EAGAIN at the deadline; -EINTR; -EBADF: it was closed. held: net lock
 */
int socket_wait(struct socket *s, uint64_t deadline_ns);
/* SO_ERROR, negative, and cleared. held: net lock */
int socket_take_error(struct socket *s);
/* A negative errno for lwIP's err_t. */
int socket_errno(int err);

/* The socket of a descriptor, to be let go by file_put(); NULL: *rc says why not. */
struct socket *socket_get(int fd, struct file **file, int *rc);

/* --- net/address.c --- */

/* 0, -EINVAL or -EAFNOSUPPORT. An IPv4 address in an IPv6 one is taken out. */
int socket_name_from(struct socket_name *name, const struct sockaddr *address, socklen_t len);
/* As far as *len goes; *len is what it wanted. `family`: the socket's. */
void socket_name_to(const struct socket_name *name, int family, struct sockaddr *address,
                    socklen_t *len);
/* May a socket of this family have this address? 0, -EAFNOSUPPORT. Makes an unspecified one fit. */
int socket_name_fit(const struct socket *s, struct socket_name *name, bool own);
/* lwIP's type for a socket of this family. */
uint8_t socket_ip_type(const struct socket *s);

/* --- net/option.c, net/group.c --- */
int socket_get_option(struct socket *s, int level, int name, void *value, socklen_t *len);
int socket_set_option(struct socket *s, int level, int name, const void *value, socklen_t len);
/* Join or leave, on an interface (0: lwIP's choice). held: net lock */
int socket_group(struct socket *s, const ip_addr_t *group, unsigned int interface, bool join);
/* In close(): the multicast groups it joined. held: net lock */
void socket_leave_groups(struct socket *s);

extern const struct socket_ops stream_socket_ops, datagram_socket_ops, raw_socket_ops;
/* New control blocks. 0 or a negative errno. Net lock not held. */
int stream_socket_create(struct socket *s);
int datagram_socket_create(struct socket *s);
int raw_socket_create(struct socket *s);
