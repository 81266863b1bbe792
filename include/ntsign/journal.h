/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records as systemd's journal takes them: its native protocol
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), one datagram an entry.
 *
 * Invariant: an entry is whole fields only, and no value, whatever is in it,
 * can begin a field of its own.
 */
#ifndef NTSIGN_JOURNAL_H
#define NTSIGN_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "ntsign/record.h"

#define NTSIGN_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Bytes of an entry: the line, all fields a second time, and their names. */
#define NTSIGN_JOURNAL_MAX 16384
/* Bytes of a field's name, which is journald's limit too. */
#define NTSIGN_JOURNAL_NAME_MAX 64

struct ntsign_journal {
	size_t len;
	char data[NTSIGN_JOURNAL_MAX];
};

/*
 * Adds one field. False, and nothing is added, where the name is none that
 * journald takes (upper case, digits, underscores, a letter first) or there is
 * no room.
 */
bool ntsign_journal_add(struct ntsign_journal *entry, const char *name,
			const char *value, size_t len);

/*
 * Adds every field of a record as NTSIGN_NAME: remoteAddress becomes
 * NTSIGN_REMOTE_ADDRESS, ntlmssp.keyBits NTSIGN_NTLMSSP_KEY_BITS. A list is
 * the same field several times; null is none. The client's address, without
 * family and port, is NTSIGN_CLIENT as well. Left out are the version, and
 * the pid, which is SYSLOG_PID. Fields without room are left out.
 */
void ntsign_journal_record(struct ntsign_journal *entry,
			   const struct ntsign_record *record);

#endif
