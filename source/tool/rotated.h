/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What logrotate has made of a file.
 *
 * Invariant: a file is taken for another one's by its name only: FILE, a
 * point and a number or a hyphen and a date, and what packed it.
 */
#ifndef NTSIGN_ROTATED_H
#define NTSIGN_ROTATED_H

#include <stdbool.h>
#include <stddef.h>
#include <talloc.h>

/*
 * Whether a file of that name is what `base` was before: base.1, base.2.gz,
 * base-20261120, base-20261120.xz, base-20261120-1699999999.zst ...
 */
bool ntsign_rotated_is(const char *base, const char *name);

/*
 * Each file's older ones, the oldest first, and itself. False when a directory
 * cannot be read, which is said on standard error, or without memory. Talloc
 * children of mem_ctx.
 */
bool ntsign_rotated_find(TALLOC_CTX *mem_ctx, char *const *files, size_t count,
			 char ***all, size_t *all_count);

#endif
