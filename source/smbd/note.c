/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What both of the module's objects were made for, as a note in the file.
 *
 * Invariant: nothing but the note is in here, so that it can go into each of
 * them.
 */
#include "compat.h"

#include "ntsign/note.h"

NTSIGN_NOTE_EMIT(SMB_VFS_INTERFACE_VERSION);
