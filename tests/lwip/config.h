/* SPDX-License-Identifier: MIT
 *
 * lwIP asks for it; there is nothing to say.
 */
#pragma once
