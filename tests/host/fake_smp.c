/* SPDX-License-Identifier: MIT
 *
 * kernel/smp.h for the parts above it: vCPUs that come and go at once, as many as the test says.
 */
#include "tests/host/fake_smp.h"
#include "kernel/smp.h"
#include "tests/host/fake_xen.h"

FAKE struct fake_smp fake_smp = { .vcpus = 1 };

FAKE bool smp_vcpu_exists(unsigned int vcpu)
{
    return vcpu < fake_smp.vcpus;
}

FAKE int smp_vcpu_up(unsigned int vcpu)
{
    atomic_fetch_add(&fake_smp.ups, 1);
    if (!smp_vcpu_exists(vcpu))
        return -XEN_ENOENT;
    if (fake_smp.error)
        return fake_smp.error;
    vcpu_set_add(&vcpus_online, vcpu);
    return 0;
}

FAKE int smp_vcpu_down(unsigned int vcpu)
{
    atomic_fetch_add(&fake_smp.downs, 1);
    if (vcpu == 0)
        return -XEN_EINVAL;
    if (fake_smp.error)
        return fake_smp.error;
    vcpu_set_remove(&vcpus_online, vcpu);
    return 0;
}

FAKE void smp_start(bool (*wanted)(unsigned int vcpu))
{
    for (unsigned int vcpu = 1; vcpu < fake_smp.vcpus; vcpu++) {
        if (wanted(vcpu))
            smp_vcpu_up(vcpu);
    }
}
