/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Requests of the remote registry protocol, [MS-RRP]: which are malformed
 * the way Q264684 (MS00-040) is about.
 *
 * Invariant: the judge reads nothing outside the bytes it was given.
 */
#ifndef NTSIGN_WINREG_H
#define NTSIGN_WINREG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* BaseRegDeleteKeyEx and those in front of it: [MS-RRP] 3.1.5 */
#define NTSIGN_WINREG_OPNUMS 36

/* What is wrong with a request. */
enum ntsign_winreg_fault {
	NTSIGN_WINREG_GOOD,
	NTSIGN_WINREG_BAD_PDU,
	NTSIGN_WINREG_BAD_OPNUM,
	NTSIGN_WINREG_BAD_STUB,		/* does not decode */
	NTSIGN_WINREG_MORE,		/* holds more than the operation's */
	/* a counted string contradicts itself */
	NTSIGN_WINREG_OVER_MAXIMUM,	/* Length over MaximumLength */
	NTSIGN_WINREG_ODD,		/* Length is */
	NTSIGN_WINREG_NOT_COUNT,	/* Length is not the actual count's */
	NTSIGN_WINREG_COUNT_OVER,	/* actual count over maximum count */
	NTSIGN_WINREG_OFFSET,		/* is not 0 */
};
#define NTSIGN_WINREG_FAULT_COUNT 10

/* In words, for records; static text. NULL for NTSIGN_WINREG_GOOD. */
const char *ntsign_winreg_reason(enum ntsign_winreg_fault fault);

/* The status of the RPC fault that it is answered with; 0 for
 * NTSIGN_WINREG_GOOD. */
uint32_t ntsign_winreg_status(enum ntsign_winreg_fault fault);

/*
 * Judges a request's stub, all its fragments together, in NDR ([C706] 14).
 * A verification trailer behind it ([MS-RPCE] 2.2.2.13) is no part of it.
 */
enum ntsign_winreg_fault ntsign_winreg_judge(uint16_t opnum, bool big_endian,
					     const uint8_t *stub, size_t len);

#endif
