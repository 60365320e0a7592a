/* SPDX-License-Identifier: MIT
 *
 * IPIs by event channels: a port each.  Xen public/event_channel.h, EVTCHNOP_bind_ipi.
 */
#include "events/events.h"
#include "kernel/ipi.h"

static void (*handlers[IPIS])(void);

static void port_event(evtchn_port_t port, void *arg)
{
    (void)port;
    (*(void (**)(void))arg)();
}

int ipi_bind(unsigned int vcpu, enum ipi ipi, void (*handler)(void))
{
    evtchn_port_t *port = &percpus[vcpu]->ipi_ports[ipi];

    handlers[ipi] = handler;
    return *port ? 0 : event_bind_ipi(vcpu, port_event, &handlers[ipi], port);
}

int ipi_send(unsigned int vcpu, enum ipi ipi)
{
    return event_notify(percpus[vcpu]->ipi_ports[ipi]);
}
