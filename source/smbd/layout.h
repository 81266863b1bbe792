/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether smbd's structures are those that the module's headers describe.
 *
 * smbd's version string says which release it is, not which patches the
 * distribution has applied: a security update may give a private structure a
 * field more. What smbd has allocated tells its size, and that is compared
 * the first time that a process meets a structure.
 *
 * Invariant: no field of a structure in this list is read or written before
 * one of its kind has been compared, and none after one has differed.
 */
#ifndef NTSIGN_LAYOUT_H
#define NTSIGN_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, what smbd calls it) */
#define NTSIGN_LAYOUTS(X) \
	X(CLIENT, struct smbXsrv_client) \
	X(CONNECTION, struct smbXsrv_connection) \
	X(SERVER, struct smbd_server_connection) \
	X(SESSION, struct smbXsrv_session) \
	X(SESSION_GLOBAL, struct smbXsrv_session_global) \
	X(SESSION_AUTH, struct smbXsrv_session_auth) \
	X(CHANNEL, struct smbXsrv_channel_global) \
	X(SESSION_INFO, struct auth_session_info) \
	X(USER_INFO, struct auth_user_info) \
	X(TREE, struct smbXsrv_tcon) \
	X(SHARE, struct connection_struct) \
	X(FILE, struct files_struct) \
	X(FILE_NAME, struct smb_filename) \
	X(FILE_HANDLE, struct fake_file_handle) \
	X(PIPE, struct npa_state) \
	X(REQUEST, struct smbd_smb2_request) \
	X(AUTH_CONTEXT, struct auth4_context) \
	X(AUTH_SUPPLIED, struct auth_usersupplied_info) \
	X(AUTH_SERVER, struct auth_serversupplied_info) \
	X(GENSEC, struct gensec_security) \
	X(NTLMSSP_CONTEXT, struct gensec_ntlmssp_context) \
	X(NTLMSSP, struct ntlmssp_state) \
	X(NDR_PULL, struct ndr_pull)

#define NTSIGN_LAYOUT_ITEM_(name, type) NTSIGN_LAYOUT_##name,
enum ntsign_layout {
	NTSIGN_LAYOUTS(NTSIGN_LAYOUT_ITEM_)
	NTSIGN_LAYOUT_COUNT
};

/* A bit for each that has been compared and is the same; none is set once
 * one has differed. */
extern uint32_t ntsign_layouts_seen;
/* Something of smbd's is not what the module was made for. */
extern bool ntsign_layouts_differ;

/* What ntsign_layout_fits() does when it meets one for the first time. */
bool ntsign_layout_compare(enum ntsign_layout which, const void *object);
bool ntsign_layout_array_compare(enum ntsign_layout which, const void *object,
				 size_t count);

/*
 * Whether `object`, one of these in a talloc chunk of its own, may be looked
 * into. False where it is NULL, too. The first that differs is named in the
 * log; in enforce and emulate the process ends with it, which nobody's
 * session survives. In an audit nothing of smbd's is looked into any more.
 */
static inline bool ntsign_layout_fits(enum ntsign_layout which,
				      const void *object)
{
	return object != NULL && ((ntsign_layouts_seen & (1U << which)) ||
				  ntsign_layout_compare(which, object));
}

/* The same for an array of at least `count`. */
static inline bool ntsign_layout_array_fits(enum ntsign_layout which,
					    const void *object, size_t count)
{
	return object != NULL && count != 0 &&
	       ((ntsign_layouts_seen & (1U << which)) ||
		ntsign_layout_array_compare(which, object, count));
}

/*
 * In between the process does not end: smbd cannot end inside of a traverse of
 * its databases. It ends with the release, where it has to.
 */
void ntsign_layout_hold(void);
void ntsign_layout_release(void);

/*
 * Says in the log, once, what of this smbd is not what the module was made
 * for. expected, is: sizes, or 0. From then on ntsign_layouts_differ is true.
 */
void ntsign_layout_differs(const char *what, size_t expected, size_t is);

#endif
