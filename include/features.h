/* SPDX-License-Identifier: MIT
 *
 * <features.h>, by which programs for Linux include <sys/features.h>.
 */
#include <sys/features.h>
