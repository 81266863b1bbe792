/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which pipe an SMB1 request opens.
 *
 * Invariant: nothing outside the bytes given is read.
 */
#ifndef NTSIGN_SMB1_OPEN_H
#define NTSIGN_SMB1_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NTSIGN_SMB1_TRANSACTION		0x25
#define NTSIGN_SMB1_OPEN_ANDX		0x2D
#define NTSIGN_SMB1_WRITE_ANDX		0x2F
#define NTSIGN_SMB1_NT_CREATE_ANDX	0xA2

/*
 * Whether a name that a client opens on IPC$ is that of a pipe: "winreg",
 * "\winreg", "\PIPE\winreg", in any case. pipe: in lower case.
 */
bool ntsign_smb1_is_pipe(const char *name, const char *pipe);

/*
 * The name of the file that the first request of a message opens, a
 * NT_CREATE_ANDX or OPEN_ANDX: [MS-CIFS] 2.2.4.64, 2.2.4.41. name gets it as
 * far as it fits, characters other than ASCII as '?'. data: the message from
 * its mark on. False when it is none of these, or does not hold together.
 */
bool ntsign_smb1_open_name(const uint8_t *data, size_t len, char *name,
			   size_t size);

#endif
