/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A tap on the stream between smbd and the server behind a named pipe.
 *
 * Invariant: where the machine behind it only observes, what smbd reads and
 * writes is what it would read and write without the tap.
 */
#ifndef NTSIGN_TAP_H
#define NTSIGN_TAP_H

#include "module.h"
#include "rpc_server/rpc_ncacn_np.h"
#include "ntsign/registry.h"

struct ntsign_tap_fns {
	/* The machine's, see ntsign/registry.h. */
	void (*report)(void *private_data,
		       const struct ntsign_registry_report *report);
	bool (*decodes)(void *private_data, uint16_t opnum, bool big_endian,
			const uint8_t *stub, size_t len);
	/* Asked before each write: whether the pipe has to break. */
	bool (*breaks)(void *private_data);
};

/*
 * Puts a tap in front of a pipe on which nothing has been read or written.
 * fns has to stay as long as the pipe. private_data: a talloc pointer that
 * becomes the tap's, and goes with it. dead: the pipe is broken from the
 * start. False when memory runs out: then nothing has changed.
 */
bool ntsign_tap_insert(struct npa_state *npa,
		       const struct ntsign_registry_rules *rules,
		       const struct ntsign_tap_fns *fns, void *private_data,
		       bool dead);

#endif
