/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Every difference between the Samba releases that the module is built for,
 * as capabilities found by wscript's compile probes (ntsign_config.h).
 *
 * Invariant: no Samba version number stands anywhere else in source/.
 */
#ifndef NTSIGN_COMPAT_H
#define NTSIGN_COMPAT_H

#include "includes.h"
#include "system/filesys.h"
#include "system/network.h"
#include "smbd/smbd.h"
#include "smbd/globals.h"
#include "auth.h"
#include "auth/common_auth.h"
#include "auth/gensec/gensec.h"
#include "auth/gensec/gensec_internal.h"
#include "auth/ntlmssp/ntlmssp.h"
#include "auth/ntlmssp/ntlmssp_private.h"
#include "lib/dbwrap/dbwrap.h"
#include "dbwrap/dbwrap_open.h"
#include "lib/param/loadparm.h"
#include "lib/param/s3_param.h"
#include "lib/tsocket/tsocket.h"
#include "lib/util/tevent_ntstatus.h"
#include "libcli/security/session.h"
#include "libcli/smb/smb_constants.h"
#include "../libcli/smb/smb_signing.h"
#include "../libcli/smb/smb2_signing.h"
#include <tevent.h>

#include "smbd/smb1_process.h"

#include "ntsign_config.h"

#if SMB_VFS_INTERFACE_VERSION < 47 || SMB_VFS_INTERFACE_VERSION > 53
#error "ntsign knows Samba 4.17 to 4.25"
#endif

/* smbXsrv_session_* moved to a header of their own in 4.21; drop with 4.20. */
#ifdef NTSIGN_HAVE_SMBXSRV_SESSION_H
#include "smbd/smbXsrv_session.h"
#endif

/*
 * The structures of sessions have lost the 0 at the end of their names in
 * 4.25; drop with 4.24.
 */
#ifdef NTSIGN_HAVE_SMBXSRV_SESSION_GLOBAL0
#define smbXsrv_session_global smbXsrv_session_global0
#define smbXsrv_session_auth smbXsrv_session_auth0
#define smbXsrv_channel_global smbXsrv_channel_global0
#endif

/*
 * Whether smbd waits for the first byte of the next SMB2 frame. Up to 4.19 a
 * flag tells that the reading of a frame has begun; later what remains to be
 * read of its four bytes of length does. Drop the flag with 4.19.
 */
static inline bool ntsign_smb2_read_begins(
	const struct smbd_smb2_request_read_state *state)
{
	if (state->req == NULL || state->pktlen != 0) {
		return false;
	}
#ifdef NTSIGN_HAVE_SMB2_READ_HDR_DONE
	return !state->hdr.done;
#else
	return state->count == 1 &&
	       state->vector->iov_base == state->hdr.nbt &&
	       state->vector->iov_len == sizeof(state->hdr.nbt);
#endif
}

#endif
