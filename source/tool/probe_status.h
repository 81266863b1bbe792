/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTSTATUS values that a server answers the probe with.
 *
 * Invariant: a value without a name here is shown as its number.
 */
#ifndef NTSIGN_PROBE_STATUS_H
#define NTSIGN_PROBE_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <talloc.h>

/* [MS-ERREF] 2.3.1 */
#define NTSIGN_STATUS_OK			0x00000000
#define NTSIGN_STATUS_INVALID_PARAMETER		0xC000000D
#define NTSIGN_STATUS_MORE_PROCESSING		0xC0000016
#define NTSIGN_STATUS_ACCESS_DENIED		0xC0000022
#define NTSIGN_STATUS_LOGON_FAILURE		0xC000006D
#define NTSIGN_STATUS_NOT_SUPPORTED		0xC00000BB
#define NTSIGN_STATUS_BAD_NETWORK_NAME		0xC00000CC
/* a DOS error that no NTSTATUS here stands for: class and code below */
#define NTSIGN_STATUS_DOS			0xDE000000

/* Its name as in [MS-ERREF], or its number. A talloc child of mem_ctx; NULL
 * when memory runs out. */
char *ntsign_status_text(TALLOC_CTX *mem_ctx, uint32_t status);

/* Whether it says that this account cannot log on so. */
bool ntsign_status_is_logon(uint32_t status);

#endif
