/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Judges the requests of [MS-RRP]. What smbd makes of a counted string is not
 * what its counts say (Samba's NDR library does not look at a string's Length
 * and MaximumLength), so the stub is walked here, number by number.
 *
 * Each operation's [in] parameters are a word whose letters stand for:
 *
 *   1 2 4   a number of that many bytes
 *   H       a handle: 20 bytes
 *   T       a FILETIME: two numbers of 4 bytes
 *   ?       a unique pointer to what the next letter says
 *   S       RRP_UNICODE_STRING whose buffer is a [string]
 *   B       RRP_UNICODE_STRING or RPC_UNICODE_STRING whose buffer has room
 *           for MaximumLength bytes and holds Length of them
 *   D       RPC_SECURITY_DESCRIPTOR
 *   X       RPC_SECURITY_ATTRIBUTES
 *   V       bytes with maximum and actual count; further on come, in letters
 *   z n     unique pointers to the number that is the former, the latter
 *   W       the same, where one number of 4 bytes, q, is both
 *   A       bytes with a maximum count; Z further on is that number
 *   M       RVALENT structures with maximum and actual count; C further on
 *           is that number
 *
 * A letter's deferred part follows it at once: all of these are parameters
 * of their own, [C706] 14.3.12.3.
 *
 * Invariant: the walk steps forward only, and never past the end; no loop
 * runs more often than the stub has bytes.
 */
#include "ntsign/winreg.h"

#include <assert.h>
#include <string.h>

#include "ntsign/dcerpc.h"
#include "ndr.h"

static const char *const operations[NTSIGN_WINREG_OPNUMS] = {
	[0x00] = "?24",			/* OpenClassesRoot */
	[0x01] = "?24",			/* OpenCurrentUser */
	[0x02] = "?24",			/* OpenLocalMachine */
	[0x03] = "?24",			/* OpenPerformanceData */
	[0x04] = "?24",			/* OpenUsers */
	[0x05] = "H",			/* BaseRegCloseKey */
	[0x06] = "HSS44?X?4",		/* BaseRegCreateKey */
	[0x07] = "HS",			/* BaseRegDeleteKey */
	[0x08] = "HS",			/* BaseRegDeleteValue */
	[0x09] = "H4B?B?T",		/* BaseRegEnumKey */
	[0x0A] = "H4B?4?Vzn",		/* BaseRegEnumValue */
	[0x0B] = "H",			/* BaseRegFlushKey */
	[0x0C] = "H4D",			/* BaseRegGetKeySecurity */
	[0x0D] = "H?S?S",		/* BaseRegLoadKey */
	[0x0E] = "H144SS4",		/* BaseRegNotifyChangeKeyValue */
	[0x0F] = "HS44",		/* BaseRegOpenKey */
	[0x10] = "HS",			/* BaseRegQueryInfoKey */
	[0x11] = "HS?4?Vzn",		/* BaseRegQueryValue */
	[0x12] = "HSSS",		/* BaseRegReplaceKey */
	[0x13] = "HS4",			/* BaseRegRestoreKey */
	[0x14] = "HS?X",		/* BaseRegSaveKey */
	[0x15] = "H4D",			/* BaseRegSetKeySecurity */
	[0x16] = "HS4AZ",		/* BaseRegSetValue */
	[0x17] = "HS",			/* BaseRegUnLoadKey */
	[0x18] = "?2?B411",		/* BaseInitiateSystemShutdown */
	[0x19] = "?2",			/* BaseAbortSystemShutdown */
	[0x1A] = "H",			/* BaseRegGetVersion */
	[0x1B] = "?24",			/* OpenCurrentConfig */
	[0x1C] = "?24",			/* OpenDynData */
	[0x1D] = "HMC?Wq",		/* BaseRegQueryMultipleValues */
	[0x1E] = "?2?B4114",		/* BaseInitiateSystemShutdownEx */
	[0x1F] = "HS?X4",		/* BaseRegSaveKeyEx */
	[0x20] = "?24",			/* OpenPerformanceText */
	[0x21] = "?24",			/* OpenPerformanceNlsText */
	[0x22] = "HMC?Wq",		/* BaseRegQueryMultipleValues2 */
	[0x23] = "HS44",		/* BaseRegDeleteKeyEx */
};

static const struct {
	const char *reason;
	uint32_t status;
} faults[] = {
	[NTSIGN_WINREG_GOOD] = { NULL, 0 },
	[NTSIGN_WINREG_BAD_PDU] = { "the PDU does not hold together",
				    NTSIGN_DCERPC_FAULT_PROTO },
	[NTSIGN_WINREG_BAD_OPNUM] = { "there is no such operation",
				      NTSIGN_DCERPC_FAULT_OP_RNG },
	[NTSIGN_WINREG_BAD_STUB] = { "the stub does not decode",
				     NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_MORE] = { "the stub holds more than the operation's "
				 "parameters", NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_OVER_MAXIMUM] = { "a string's Length is over its "
					 "MaximumLength",
					 NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_ODD] = { "a string's Length is odd",
				NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_NOT_COUNT] = { "a string's Length is not that of its "
				      "actual count",
				      NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_COUNT_OVER] = { "a string's actual count is over its "
				       "maximum count",
				       NTSIGN_DCERPC_FAULT_NDR },
	[NTSIGN_WINREG_OFFSET] = { "a string's offset is not 0",
				   NTSIGN_DCERPC_FAULT_NDR },
};
static_assert(sizeof(faults) / sizeof(faults[0]) == NTSIGN_WINREG_FAULT_COUNT,
	      "each fault has a reason");

const char *ntsign_winreg_reason(enum ntsign_winreg_fault fault)
{
	return faults[fault].reason;
}

uint32_t ntsign_winreg_status(enum ntsign_winreg_fault fault)
{
	return faults[fault].status;
}

/* The counts in front of an array's elements: [C706] 14.3.3.4. */
struct counts {
	uint32_t maximum;
	uint32_t actual;
};

struct walk {
	const uint8_t *data;
	size_t len;
	size_t pos;
	bool big_endian;
	enum ntsign_winreg_fault fault;		/* the first that was met */
	struct counts sized;	/* of the last V, W, A or M */
	bool has_sized;		/* it was there */
};

static void wrong(struct walk *w, enum ntsign_winreg_fault fault)
{
	if (w->fault == NTSIGN_WINREG_GOOD) {
		w->fault = fault;
	}
}

/* Steps over bytes and returns where they begin; NULL when something is
 * wrong, then or before. */
static const uint8_t *take(struct walk *w, size_t align, size_t len)
{
	size_t start = (w->pos + align - 1) & ~(align - 1);

	if (w->fault != NTSIGN_WINREG_GOOD) {
		return NULL;
	}
	if (start > w->len || w->len - start < len) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
		return NULL;
	}
	w->pos = start + len;
	return w->data + start;
}

static uint16_t take16(struct walk *w)
{
	const uint8_t *p = take(w, 2, 2);

	return p != NULL ? order16(p, w->big_endian) : 0;
}

static uint32_t take32(struct walk *w)
{
	const uint8_t *p = take(w, 4, 4);

	return p != NULL ? order32(p, w->big_endian) : 0;
}

/* maximum count, offset, actual count, and the elements */
static struct counts take_array(struct walk *w, size_t element)
{
	struct counts counts = { .maximum = take32(w), };
	uint32_t offset = take32(w);

	counts.actual = take32(w);
	if (offset != 0 || counts.actual > counts.maximum) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
	(void)take(w, element, (size_t)counts.actual * element);
	return counts;
}

/* A string's structure; its buffer may come later. */
struct string {
	uint16_t length;
	uint16_t maximum_length;
	uint32_t pointer;
};

static struct string take_string_head(struct walk *w)
{
	struct string s = { .length = 0, };

	(void)take(w, 4, 0);
	s.length = take16(w);
	s.maximum_length = take16(w);
	s.pointer = take32(w);
	if (s.length > s.maximum_length) {
		wrong(w, NTSIGN_WINREG_OVER_MAXIMUM);
	}
	if (s.length % 2 != 0) {
		wrong(w, NTSIGN_WINREG_ODD);
	}
	if (s.pointer == 0 && s.length != 0) {
		wrong(w, NTSIGN_WINREG_NOT_COUNT);
	}
	return s;
}

/* The counts of a string's buffer, and its characters; NULL where they are
 * none, or something is wrong. */
static const uint8_t *take_characters(struct walk *w, struct counts *counts)
{
	uint32_t offset = 0;

	counts->maximum = take32(w);
	offset = take32(w);
	counts->actual = take32(w);
	if (offset != 0) {
		wrong(w, NTSIGN_WINREG_OFFSET);
	}
	if (counts->actual > counts->maximum) {
		wrong(w, NTSIGN_WINREG_COUNT_OVER);
	}
	return take(w, 2, (size_t)counts->actual * 2);
}

/* A [string]: what it holds ends with its terminator, which Length may count
 * or not. */
static void take_string(struct walk *w)
{
	struct string s = take_string_head(w);
	struct counts counts = { .actual = 0, };
	const uint8_t *text = NULL;
	uint64_t bytes = 0;

	if (s.pointer == 0) {
		return;
	}
	text = take_characters(w, &counts);
	bytes = (uint64_t)counts.actual * 2;
	if (text == NULL) {
		return;
	}
	if (s.length != bytes && (bytes == 0 || s.length != bytes - 2)) {
		wrong(w, NTSIGN_WINREG_NOT_COUNT);
	}
	if (bytes != 0 && (text[bytes - 2] != 0 || text[bytes - 1] != 0)) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
}

/* The buffer of a string that has room for more than it holds. */
static void take_room(struct walk *w, const struct string *s)
{
	struct counts counts = { .actual = 0, };

	if (s->pointer == 0) {
		return;
	}
	(void)take_characters(w, &counts);
	if (s->length != (uint64_t)counts.actual * 2) {
		wrong(w, NTSIGN_WINREG_NOT_COUNT);
	}
	if (counts.maximum != s->maximum_length / 2) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
}

static void take_buffer(struct walk *w)
{
	struct string s = take_string_head(w);

	take_room(w, &s);
}

/* RPC_SECURITY_DESCRIPTOR, alone or (whole) in RPC_SECURITY_ATTRIBUTES. */
static void take_descriptor(struct walk *w, bool whole)
{
	struct counts is = { .actual = 0, };
	struct counts said = { .actual = 0, };
	uint32_t pointer = 0;

	if (whole) {
		(void)take32(w);
	}
	pointer = take32(w);
	said.maximum = take32(w);
	said.actual = take32(w);
	if (whole) {
		(void)take(w, 1, 1);
	}
	if (pointer == 0) {
		return;
	}
	is = take_array(w, 1);
	if (is.maximum != said.maximum || is.actual != said.actual) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
}

/* RVALENT structures, then the names that they point to. */
static void take_values(struct walk *w)
{
	size_t entry = 0;
	uint32_t offset = 0;
	uint32_t i;

	w->sized.maximum = take32(w);
	offset = take32(w);
	w->sized.actual = take32(w);
	w->has_sized = true;
	if (offset != 0 || w->sized.actual != w->sized.maximum) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
	entry = w->pos;
	(void)take(w, 4, (size_t)w->sized.actual * 16);
	for (i = 0; i < w->sized.actual && w->fault == NTSIGN_WINREG_GOOD;
	     i++, entry += 16) {
		if (order32(w->data + entry, w->big_endian) != 0) {
			take_buffer(w);
		}
	}
}

/* A number that says how many elements an array had. */
static void take_count(struct walk *w, bool there, uint32_t count)
{
	uint32_t value = there ? take32(w) : 0;

	if (w->has_sized && value != count) {
		wrong(w, NTSIGN_WINREG_BAD_STUB);
	}
}

static void take_letter(struct walk *w, char letter)
{
	switch (letter) {
	case '1':
		(void)take(w, 1, 1);
		break;
	case '2':
		(void)take16(w);
		break;
	case '4':
		(void)take32(w);
		break;
	case 'T':
		(void)take(w, 4, 8);
		break;
	case 'H':
		(void)take(w, 4, 20);
		break;
	case 'S':
		take_string(w);
		break;
	case 'B':
		take_buffer(w);
		break;
	case 'D':
	case 'X':
		take_descriptor(w, letter == 'X');
		break;
	case 'V':
	case 'W':
		w->sized = take_array(w, 1);
		w->has_sized = true;
		break;
	case 'A':
		w->sized.maximum = take32(w);
		w->has_sized = true;
		(void)take(w, 1, w->sized.maximum);
		break;
	case 'M':
		take_values(w);
		break;
	case 'z':
		take_count(w, take32(w) != 0, w->sized.maximum);
		break;
	case 'n':
		take_count(w, take32(w) != 0, w->sized.actual);
		break;
	case 'q':
		take_count(w, true, w->sized.maximum);
		if (w->has_sized && w->sized.actual != w->sized.maximum) {
			wrong(w, NTSIGN_WINREG_BAD_STUB);
		}
		break;
	default:
		/* Z, C */
		take_count(w, true, w->sized.maximum);
		w->has_sized = false;
		break;
	}
}

/* [MS-RPCE] 2.2.2.13: a mark, aligned, and commands, the last one marked,
 * up to the very end. */
static bool is_verification_trailer(const uint8_t *data, size_t pos,
				    size_t len)
{
	static const uint8_t mark[8] = {
		0x8A, 0xE3, 0x13, 0x71, 0x02, 0xF4, 0x36, 0x71,
	};

	pos = (pos + 3) & ~(size_t)3;
	if (pos > len || len - pos < sizeof(mark) ||
	    memcmp(data + pos, mark, sizeof(mark)) != 0) {
		return false;
	}
	pos += sizeof(mark);
	while (len - pos >= 4) {
		bool last = (pull16(data + pos) & 0x4000) != 0;
		size_t command_len = pull16(data + pos + 2);

		pos += 4;
		if (len - pos < command_len) {
			return false;
		}
		pos += command_len;
		if (last) {
			return pos == len;
		}
	}
	return false;
}

enum ntsign_winreg_fault ntsign_winreg_judge(uint16_t opnum, bool big_endian,
					     const uint8_t *stub, size_t len)
{
	struct walk w = {
		.data = stub, .len = len, .big_endian = big_endian,
	};
	const char *letter = NULL;

	if (opnum >= NTSIGN_WINREG_OPNUMS) {
		return NTSIGN_WINREG_BAD_OPNUM;
	}
	for (letter = operations[opnum];
	     *letter != '\0' && w.fault == NTSIGN_WINREG_GOOD; letter++) {
		if (*letter != '?') {
			take_letter(&w, *letter);
		} else if (take32(&w) == 0) {
			letter++;
		}
	}
	if (w.fault == NTSIGN_WINREG_GOOD && w.pos != len &&
	    !is_verification_trailer(stub, w.pos, len)) {
		return NTSIGN_WINREG_MORE;
	}
	return w.fault;
}
