/* SPDX-License-Identifier: MIT
 *
 * Interrupts of PCI devices, on the host: tests/host/fake_pc.c.
 */
#pragma once
#include "x86/include/arch/pci.h"
