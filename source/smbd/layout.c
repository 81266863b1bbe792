/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sizes of smbd's structures: layout.h.
 *
 * Left out, because no chunk of talloc's tells their size: what lies inside
 * of those that are compared (smbd_smb2_request_read_state in
 * smbXsrv_connection); what is static in smbd: struct gensec_security_ops,
 * of which this module makes copies, struct loadparm_s3_helpers, struct
 * loadparm_global (ntsign_config_fits() has another proof of it), libndr's
 * tables; and vfs_fn_pointers and vfs_handle_struct, which every VFS module
 * depends on and SMB_VFS_INTERFACE_VERSION stands for.
 *
 * Invariant: one line in the log for each process, whatever differs.
 */
#include "module.h"
#include "layout.h"
#include "fake_file.h"
#include "rpc_server/rpc_ncacn_np.h"
#include "librpc/gen_ndr/auth.h"
#include "librpc/gen_ndr/smbXsrv.h"
#include "librpc/ndr/libndr.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

uint32_t ntsign_layouts_seen;
bool ntsign_layouts_differ;

#define ITEM(name, type) [NTSIGN_LAYOUT_##name] = { #type, sizeof(type) },
static const struct {
	const char *name;
	size_t size;
} layouts[] = {
	NTSIGN_LAYOUTS(ITEM)
};

static_assert(NTSIGN_LAYOUT_COUNT <= 32, "each has a bit");

void ntsign_layout_differs(const char *what, size_t expected, size_t is)
{
	ntsign_layouts_seen = 0;
	if (ntsign_layouts_differ) {
		return;
	}
	ntsign_layouts_differ = true;
	DBG_ERR("ntsign: made for Samba %s, this is %s (%s differs, "
		"%zu and %zu bytes): nothing is audited until the "
		"module is built for this Samba\n",
		NTSIGN_SAMBA_VERSION_STRING, samba_version_string(),
		what, expected, is);
}

static bool held;

/* Whoever asks for more than an audit is not served without it. */
static void refuse(void)
{
	if (!held && ntsign != NULL && ntsign->options->mode != NTSIGN_MODE_AUDIT) {
		exit_server_cleanly("ntsign: refusing a connection: the "
				    "module is not made for this smbd");
	}
}

void ntsign_layout_hold(void)
{
	held = true;
}

void ntsign_layout_release(void)
{
	held = false;
	if (ntsign_layouts_differ) {
		refuse();
	}
}

static bool compared(enum ntsign_layout which, bool fits, size_t size)
{
	if (ntsign_layouts_differ) {
		return false;
	}
	if (!fits) {
		ntsign_layout_differs(layouts[which].name,
				      layouts[which].size, size);
		refuse();
		return false;
	}
	ntsign_layouts_seen |= 1U << which;
	return true;
}

bool ntsign_layout_compare(enum ntsign_layout which, const void *object)
{
	size_t size = talloc_get_size(object);

	return compared(which, size == layouts[which].size, size);
}

/* smbd takes elements out of an array and leaves it as large as it was. */
bool ntsign_layout_array_compare(enum ntsign_layout which, const void *object,
				 size_t count)
{
	size_t size = talloc_get_size(object);
	size_t expected = layouts[which].size;

	return compared(which, size % expected == 0 &&
			size / expected >= count, size);
}
