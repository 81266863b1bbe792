/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ELF note of ntsign.so and ntsign-crypto.so: what a file was made for,
 * to be read without loading it.
 *
 * It lies in a section and a segment of its own, allocated, so that strip
 * leaves it alone; linkers keep notes that nothing refers to. Its descriptor
 * is text, a line KEY=VALUE for each of:
 *
 *   module     ntsign's own version
 *   record     the version of the records that it writes
 *   samba      the version string of the Samba that it was made for
 *   interface  that Samba's SMB_VFS_INTERFACE_VERSION
 *
 * and a NUL. Further keys may follow; a reader passes over those that it does
 * not know.
 *
 * Invariant: a type other than NTSIGN_NOTE_TYPE is for what this text cannot
 * say, and no reader of this one takes it for it.
 */
#ifndef NTSIGN_NOTE_H
#define NTSIGN_NOTE_H

#include "ntsign/record.h"
#include "ntsign_config.h"

#define NTSIGN_NOTE_SECTION ".note.ntsign"
#define NTSIGN_NOTE_OWNER "ntsign"
#define NTSIGN_NOTE_TYPE 1

#define NTSIGN_NOTE_WORD_(x) #x
#define NTSIGN_NOTE_WORD(x) NTSIGN_NOTE_WORD_(x)

/*
 * Puts the note into the file that is being compiled. By the assembler, since
 * a sanitizer would put its own bytes around a variable.
 */
#define NTSIGN_NOTE_EMIT(interface) \
	__asm__(".pushsection " NTSIGN_NOTE_SECTION ",\"a\",%note\n" \
		"	.balign 4\n" \
		"	.long 2f - 1f, 4f - 3f, " \
			NTSIGN_NOTE_WORD(NTSIGN_NOTE_TYPE) "\n" \
		"1:	.asciz \"" NTSIGN_NOTE_OWNER "\"\n" \
		"2:	.balign 4\n" \
		"3:	.ascii \"module=" NTSIGN_VERSION "\\n\"\n" \
		"	.ascii \"record=" \
			NTSIGN_NOTE_WORD(NTSIGN_RECORD_MAJOR) "." \
			NTSIGN_NOTE_WORD(NTSIGN_RECORD_MINOR) "\\n\"\n" \
		"	.ascii \"samba=" NTSIGN_SAMBA_VERSION_STRING "\\n\"\n" \
		"	.asciz \"interface=" NTSIGN_NOTE_WORD(interface) \
			"\\n\"\n" \
		"4:	.balign 4\n" \
		"	.popsection")

#endif
