/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NTSTATUS values that a server answers the probe with.
 *
 * Invariant: one table has all names.
 */
#include <stddef.h>

#include "probe_status.h"

static const struct {
	uint32_t status;
	bool logon;	/* a logon that failed */
	const char *name;
} statuses[] = {
	{ NTSIGN_STATUS_OK, false, "STATUS_SUCCESS" },
	{ 0xC0000001, false, "STATUS_UNSUCCESSFUL" },
	{ 0xC0000002, false, "STATUS_NOT_IMPLEMENTED" },
	{ 0xC0000008, false, "STATUS_INVALID_HANDLE" },
	{ NTSIGN_STATUS_INVALID_PARAMETER, false,
	  "STATUS_INVALID_PARAMETER" },
	{ NTSIGN_STATUS_MORE_PROCESSING, false,
	  "STATUS_MORE_PROCESSING_REQUIRED" },
	{ NTSIGN_STATUS_ACCESS_DENIED, false, "STATUS_ACCESS_DENIED" },
	{ 0xC0000034, false, "STATUS_OBJECT_NAME_NOT_FOUND" },
	{ 0xC000005E, true, "STATUS_NO_LOGON_SERVERS" },
	{ 0xC0000064, true, "STATUS_NO_SUCH_USER" },
	{ 0xC000006A, true, "STATUS_WRONG_PASSWORD" },
	{ NTSIGN_STATUS_LOGON_FAILURE, true, "STATUS_LOGON_FAILURE" },
	{ 0xC000006E, true, "STATUS_ACCOUNT_RESTRICTION" },
	{ 0xC000006F, true, "STATUS_INVALID_LOGON_HOURS" },
	{ 0xC0000070, true, "STATUS_INVALID_WORKSTATION" },
	{ 0xC0000071, true, "STATUS_PASSWORD_EXPIRED" },
	{ 0xC0000072, true, "STATUS_ACCOUNT_DISABLED" },
	{ 0xC000009A, false, "STATUS_INSUFFICIENT_RESOURCES" },
	{ 0xC00000AC, false, "STATUS_PIPE_NOT_AVAILABLE" },
	{ NTSIGN_STATUS_NOT_SUPPORTED, false, "STATUS_NOT_SUPPORTED" },
	{ 0xC00000C9, false, "STATUS_NETWORK_NAME_DELETED" },
	{ 0xC00000CA, false, "STATUS_NETWORK_ACCESS_DENIED" },
	{ NTSIGN_STATUS_BAD_NETWORK_NAME, false, "STATUS_BAD_NETWORK_NAME" },
	{ 0xC00000D0, false, "STATUS_REQUEST_NOT_ACCEPTED" },
	{ 0xC00000E5, false, "STATUS_INTERNAL_ERROR" },
	{ 0xC000015B, true, "STATUS_LOGON_TYPE_NOT_GRANTED" },
	{ 0xC000018D, true, "STATUS_TRUSTED_RELATIONSHIP_FAILURE" },
	{ 0xC0000193, true, "STATUS_ACCOUNT_EXPIRED" },
	{ 0xC0000203, false, "STATUS_USER_SESSION_DELETED" },
	{ 0xC0000205, false, "STATUS_INSUFF_SERVER_RESOURCES" },
	{ 0xC000020C, false, "STATUS_CONNECTION_DISCONNECTED" },
	{ 0xC0000224, true, "STATUS_PASSWORD_MUST_CHANGE" },
	{ 0xC0000234, true, "STATUS_ACCOUNT_LOCKED_OUT" },
	{ 0xC000035C, false, "STATUS_NETWORK_SESSION_EXPIRED" },
	{ 0xC0000418, true, "STATUS_NTLM_BLOCKED" },
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

char *ntsign_status_text(TALLOC_CTX *mem_ctx, uint32_t status)
{
	size_t i;

	for (i = 0; i < STATUSES; i++) {
		if (statuses[i].status == status) {
			return talloc_strdup(mem_ctx, statuses[i].name);
		}
	}
	if ((status & 0xFF000000) == NTSIGN_STATUS_DOS) {
		return talloc_asprintf(mem_ctx, "DOS error %u/%u",
				       status >> 16 & 0xFF, status & 0xFFFF);
	}
	return talloc_asprintf(mem_ctx, "NTSTATUS 0x%08X", status);
}

bool ntsign_status_is_logon(uint32_t status)
{
	size_t i;

	for (i = 0; i < STATUSES; i++) {
		if (statuses[i].status == status) {
			return statuses[i].logon;
		}
	}
	return false;
}
