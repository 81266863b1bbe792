/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the machine behind a pipe's tap. What a client sends is written as a
 * word whose letters stand for PDUs; what the machine does comes out as
 * another one, so that each test is a line of a table.
 *
 * In, PDUs of the client's (call ids count up with each request's first):
 *   b  bind: context 0 winreg in NDR, 1 winreg in NDR64, 2 srvsvc; security
 *      contexts 1 NTLMSSP signed, 2 NTLMSSP sealed, 3 SPNEGO with NTLMSSP
 *      sealed, 4 Kerberos sealed come in alter_contexts of their own
 *   g  a good request, m a malformed one (MS00-040), o one whose operation
 *      does not exist; on context 0
 *   1 2 3  a good request's first, a middle and its last fragment
 *   M  the first fragment of a malformed request; 3 ends it too
 *   x  a request on srvsvc's context, X its first fragment, y its last
 *   n  one in NDR64; u one on a context that nobody has bound, v its first
 *      fragment
 *   i  a good request, signed; s a sealed one, S that of SPNEGO, k Kerberos's
 *   f  sealed with a security context that there is not
 *   t  signed, where the security context says sealed
 *   3 of another call: z; of another context: c; of another operation: p
 *   a  auth3; A  a bind that does not hold together
 *   C  co_cancel; O  orphaned, of the call under way; q  of another
 *   R  a response: nothing that a client sends
 *   G  bytes that are no PDU; T  a request whose trailer is too long
 * and of the server's:
 *   +  a response; -  a first fragment of one; B  bind_ack; F  a fault; Q  junk
 * Out:
 *   >  a PDU goes on; <  a fault comes back; !  the end, broken; .  the end
 *   [..]  a report: M malformed, +M more of them, U unreadable, R unread, D
 *      undecryptable
 *
 * Invariant: what goes on is byte for byte what came.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "ntsign/dcerpc.h"
#include "ntsign/ntlmssp.h"
#include "ntsign/registry.h"
#include "failing_malloc.h"
#include "pdus.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define FIRST NTSIGN_DCERPC_FIRST
#define LAST NTSIGN_DCERPC_LAST
#define STREAM_MAX 65536

struct play {
	struct ntsign_registry *machine;
	char out[4096];
	uint8_t in[STREAM_MAX];		/* all that went in, in order */
	size_t in_len;
	uint8_t on[STREAM_MAX];		/* all that went on */
	size_t on_len;
	uint32_t call;
	uint32_t status;		/* of the last fault */
	uint32_t fault_call;
	struct ntsign_registry_report report;	/* the last one */
	bool decodes;
	unsigned int asked;
	unsigned int unread;
	bool leaves_unread;
};

static void say(struct play *p, const char *what)
{
	assert_true(strlen(p->out) + strlen(what) < sizeof(p->out));
	strcat(p->out, what);
}

static void op_forward(void *private_data, const uint8_t *data, size_t len)
{
	struct play *p = private_data;

	if (p->on_len + len <= sizeof(p->on)) {
		memcpy(p->on + p->on_len, data, len);
	}
	p->on_len += len;
	while (len != 0) {
		size_t pdu_len = 0;

		if (ntsign_dcerpc_next(data, len, &pdu_len) !=
		    NTSIGN_DCERPC_PDU) {
			pdu_len = len;
		}
		assert_true(pdu_len <= len);
		say(p, ">");
		data += pdu_len;
		len -= pdu_len;
	}
}

static void op_answer(void *private_data, const uint8_t *data, size_t len)
{
	struct play *p = private_data;

	assert_int_equal(len, NTSIGN_DCERPC_FAULT_LEN);
	memcpy(&p->status, data + 24, 4);
	memcpy(&p->fault_call, data + 12, 4);
	p->unread++;
	say(p, "<");
}

static void op_report(void *private_data,
		      const struct ntsign_registry_report *report)
{
	struct play *p = private_data;
	const char *const names[] = {
		"[M]", "[+M]", "[U]", "[R]", "[D]",
	};

	p->report = *report;
	assert_non_null(report->reason);
	say(p, names[report->event]);
}

static void op_end(void *private_data, bool broken)
{
	say(private_data, broken ? "!" : ".");
}

static bool op_decodes(void *private_data, uint16_t opnum, bool big_endian,
		       const uint8_t *stub, size_t len)
{
	struct play *p = private_data;

	(void)len;
	p->asked++;
	return p->decodes;
}

static const struct ntsign_registry_ops ops = {
	.forward = op_forward, .answer = op_answer, .report = op_report,
	.end = op_end, .decodes = op_decodes,
};

/* OpenKey of "SOFTWARE"; length: what its Length says. */
static size_t open_key(uint8_t stub[72], unsigned int length)
{
	static const char name[] = "SOFTWARE";
	size_t i = 0;

	memset(stub, 0, 72);
	pdu_put16(stub + 20, length);
	pdu_put16(stub + 22, 0x20A);
	pdu_put32(stub + 24, 0x20000);
	pdu_put32(stub + 28, 0x105);
	pdu_put32(stub + 36, sizeof(name));
	for (i = 0; i < sizeof(name); i++) {
		pdu_put16(stub + 40 + 2 * i, (unsigned char)name[i]);
	}
	pdu_put32(stub + 64, 0x02000000);
	return 68;
}

/* An AUTHENTICATE with these flags and no names. */
static size_t authenticate(uint8_t message[72], uint32_t flags)
{
	size_t i = 0;

	memset(message, 0, 72);
	memcpy(message, "NTLMSSP", 8);
	message[8] = 3;
	for (i = 12; i < 60; i += 8) {
		message[i + 4] = 64;
	}
	pdu_put32(message + 60, flags);
	return 64;
}

/* A security context of its own, in an alter_context. */
static struct pdu alter(uint32_t id, uint8_t type, uint8_t level,
			const void *token, size_t len)
{
	struct pdu pdu = pdu_bind(NTSIGN_DCERPC_ALTER_CONTEXT);

	pdu_context(&pdu, 0, SYNTAX_WINREG, SYNTAX_NDR, NULL);
	pdu_auth(&pdu, type, level, id, token, len, 0);
	return pdu;
}

static struct pdu bind_all(void)
{
	struct pdu pdu = pdu_bind(NTSIGN_DCERPC_BIND);

	pdu_context(&pdu, 0, SYNTAX_WINREG, SYNTAX_NDR, NULL);
	pdu_context(&pdu, 1, SYNTAX_WINREG, SYNTAX_NDR64, NULL);
	pdu_context(&pdu, 2, SYNTAX_SRVSVC, SYNTAX_NDR, NULL);
	return pdu;
}

static struct pdu sealed(uint32_t call, uint8_t type, uint8_t level,
			 uint32_t context)
{
	uint8_t stub[72];
	struct pdu pdu = pdu_request(FIRST | LAST, call, 0, 15, stub,
				     open_key(stub, 16));

	pdu_auth(&pdu, type, level, context, "0123456789abcdef", 16, 12);
	return pdu;
}

static struct pdu make(struct play *p, char letter)
{
	uint8_t stub[72];
	size_t len = open_key(stub, letter == 'm' || letter == 'M' ? 0xFFFF :
								     16);
	struct pdu pdu = { .len = 0 };

	if (strchr("gmo1MxXnuvisSkft", letter) != NULL) {
		p->call++;
	}
	switch (letter) {
	case 'b':
		return bind_all();
	case 'g':
	case 'm':
		return pdu_request(FIRST | LAST, p->call, 0, 15, stub, len);
	case 'o':
		return pdu_request(FIRST | LAST, p->call, 0, 36, stub, len);
	case '1':
	case 'M':
		return pdu_request(FIRST, p->call, 0, 15, stub, 22);
	case '2':
		return pdu_request(0, p->call, 0, 15, stub + 22, 20);
	case '3':
		return pdu_request(LAST, p->call, 0, 15, stub + 42, len - 42);
	case 'z':
		return pdu_request(LAST, p->call + 9, 0, 15, stub, 4);
	case 'c':
		return pdu_request(LAST, p->call, 1, 15, stub, 4);
	case 'p':
		return pdu_request(LAST, p->call, 0, 16, stub, 4);
	case 'x':
		return pdu_request(FIRST | LAST, p->call, 2, 99, stub, len);
	case 'X':
		return pdu_request(FIRST, p->call, 2, 99, stub, len);
	case 'y':
		return pdu_request(LAST, p->call, 2, 99, stub, len);
	case 'n':
		return pdu_request(FIRST | LAST, p->call, 1, 15, stub, len);
	case 'u':
		return pdu_request(FIRST | LAST, p->call, 7, 15, stub, len);
	case 'v':
		return pdu_request(FIRST, p->call, 7, 15, stub, len);
	case 'i':
		return sealed(p->call, 10, 5, 1);
	case 's':
		return sealed(p->call, 10, 6, 2);
	case 'S':
		return sealed(p->call, 9, 6, 3);
	case 'k':
		return sealed(p->call, 16, 6, 4);
	case 'f':
		return sealed(p->call, 10, 6, 77);
	case 't':
		return sealed(p->call, 10, 5, 2);
	case 'a':
		pdu = pdu_start(NTSIGN_DCERPC_AUTH3, FIRST | LAST, p->call);
		pdu_add(&pdu, "\0\0\0\0", 4);
		pdu_auth(&pdu, 10, 5, 1, "token", 5, 0);
		return pdu;
	case 'A':
		pdu = bind_all();
		pdu.data[24] = 200;
		return pdu;
	case 'C':
		return pdu_start(NTSIGN_DCERPC_CO_CANCEL, FIRST | LAST,
				 p->call);
	case 'O':
		return pdu_start(NTSIGN_DCERPC_ORPHANED, FIRST | LAST,
				 p->call);
	case 'q':
		return pdu_start(NTSIGN_DCERPC_ORPHANED, FIRST | LAST,
				 p->call + 9);
	case 'R':
		return pdu_start(NTSIGN_DCERPC_RESPONSE, FIRST | LAST, 1);
	case 'G':
		memcpy(pdu.data, "GET / HTTP/1.0\r\n\r\n", 18);
		pdu.len = 18;
		return pdu;
	case 'T':
		pdu = pdu_request(FIRST | LAST, p->call, 0, 15, stub, len);
		pdu_put16(pdu.data + 10, 0x1000);
		return pdu;
	default:
		fail_msg("no letter %c", letter);
		return pdu;
	}
}

static void read_all(struct play *p)
{
	for (; p->unread != 0 && !p->leaves_unread; p->unread--) {
		ntsign_registry_read(p->machine);
	}
}

/* The server's; false for a letter that is the client's. */
static bool server(struct play *p, char letter)
{
	struct pdu pdu;
	size_t n = 0;

	switch (letter) {
	case '+':
		pdu = pdu_start(NTSIGN_DCERPC_RESPONSE, LAST, 1);
		break;
	case '-':
		pdu = pdu_start(NTSIGN_DCERPC_RESPONSE, FIRST, 1);
		break;
	case 'B':
		pdu = pdu_start(NTSIGN_DCERPC_BIND_ACK, FIRST | LAST, 1);
		break;
	case 'F':
		pdu = pdu_start(NTSIGN_DCERPC_FAULT, FIRST | LAST, 1);
		break;
	case 'Q':
		ntsign_registry_response(p->machine,
					 (const uint8_t *)
					 "no PDU, 16 bytes", 16);
		return true;
	default:
		return false;
	}
	pdu_add(&pdu, "0123456789", 10);
	/* in pieces, of which the machine makes no more than the whole */
	for (n = 0; n < pdu.len; n += 7) {
		ntsign_registry_response(p->machine, pdu.data + n,
					 pdu.len - n < 7 ? pdu.len - n : 7);
	}
	read_all(p);
	return true;
}

static void feed(struct play *p, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, data, len);
	ntsign_registry_request(p->machine, copy, len);
	free(copy);
	read_all(p);
	assert_true(p->in_len + len <= sizeof(p->in));
	memcpy(p->in + p->in_len, data, len);
	p->in_len += len;
}

/* split: bytes of a write; 0: a PDU a write. */
static void play(struct play *p, const char *word, size_t split)
{
	for (; *word != '\0'; word++) {
		struct pdu pdu;
		size_t n = 0;

		if (server(p, *word)) {
			continue;
		}
		pdu = make(p, *word);
		for (n = 0; n < pdu.len; n += split) {
			if (split == 0) {
				feed(p, pdu.data, pdu.len);
				break;
			}
			feed(p, pdu.data + n,
			     pdu.len - n < split ? pdu.len - n : split);
		}
	}
}

static void start(struct play *p, const struct ntsign_registry_rules *rules)
{
	*p = (struct play) { .decodes = true, };
	p->machine = ntsign_registry_new(NULL, rules, &ops, p);
	assert_non_null(p->machine);
}

/* The four security contexts, behind a bind. */
static void add_auths(struct play *p, uint32_t flags)
{
	uint8_t ntlm[72];
	size_t len = authenticate(ntlm, flags);
	uint8_t spnego[100] = "\x60\x48 some SPNEGO ";
	const struct pdu alters[] = {
		alter(1, 10, 5, "NTLMSSP", 8), alter(2, 10, 6, ntlm, len),
		alter(4, 16, 6, "Kerberos", 8),
	};
	struct pdu pdu;
	size_t i = 0;

	memcpy(spnego + 20, ntlm, len);
	pdu = alter(3, 9, 6, spnego, 20 + len);
	feed(p, pdu.data, pdu.len);
	for (i = 0; i < ARRAY_LEN(alters); i++) {
		feed(p, alters[i].data, alters[i].len);
	}
	play(p, "BBBB", 0);
	p->out[0] = '\0';
}

#define OBSERVE { .winreg = true, .authenticated = true }
#define FIX { .winreg = true, .fix = true, .authenticated = true }
#define EMULATE { .winreg = true, .emulate = true, .authenticated = true }
#define ANONYMOUS { .winreg = true, .emulate = true }
#define MISMATCHED { .mismatched = true, .authenticated = true }
#define BOTH { .winreg = true, .mismatched = true, .authenticated = true }

static const struct {
	const char *what;
	struct ntsign_registry_rules rules;
	const char *in;
	const char *out;
} words[] = {
	{ "observe", OBSERVE, "bgmog123xnnuRGA", "[M][M][U][M][M][M][M]" },
	{ "observe: fragments", OBSERVE, "b13M23M3g", "[M][M][M]" },
	{ "fix: good requests", FIX, "bBg+g+123+", ">>>>>>" },
	{ "fix: none before its last fragment", FIX, "bB12", ">" },
	{ "fix: malformed", FIX, "bBmg+m", ">[M]<>[M]<" },
	{ "fix: fragments of a malformed one", FIX, "bB1zg", ">[M]<>" },
	{ "fix: malformed with its last fragment", FIX, "bB13g",
	  ">[M]<>" },
	{ "fix: no such operation", FIX, "bBo", ">[M]<" },
	{ "fix: the rest of a refused call is thrown away", FIX,
	  "bB1123g", ">[M]<>" },
	{ "fix: another context", FIX, "bBxXyg", ">>>>>" },
	{ "fix: another context's fragments go on at once", FIX, "bBX",
	  ">>" },
	{ "fix: a fragment of no call", FIX, "bB3g", ">[M]<>" },
	{ "fix: a middle one of no call", FIX, "bB23g", ">[M]<>" },
	{ "fix: a fragment of another call", FIX, "bB1zg", ">[M]<>" },
	{ "fix: of another context", FIX, "bB1cg", ">[M]<>" },
	{ "fix: of another operation", FIX, "bB1pg", ">[M]<>" },
	{ "fix: a call within a call", FIX, "bB1gg", ">[M]<>" },
	{ "fix: a call within one that passes", FIX, "bBXgg", ">>[M]<>" },
	{ "fix: a bind within a call", FIX, "bB1bg", ">[M]<>" },
	{ "fix: a bind within one that passes", FIX, "bBXb", ">>[M]<" },
	{ "fix: a bind that does not hold together", FIX, "bBAg", ">[M]<>" },
	{ "fix: a response", FIX, "bBRg", ">[M]<>" },
	{ "fix: no PDU", FIX, "bBGg", ">[M]<>" },
	{ "fix: a trailer too long", FIX, "bBTg", ">[M]<>" },
	{ "fix: auth3 and cancel", FIX, "bBaCg", ">>>>" },
	{ "fix: a cancel within a call", FIX, "bB1C23", ">>>>>" },
	{ "fix: an orphaned call that was held", FIX, "bB1Og", ">>" },
	{ "fix: one that has gone on", FIX, "bBXOg", ">>>>" },
	{ "fix: one that was refused", FIX, "bB23", ">[M]<" },
	{ "fix: orphaned while thrown away", FIX, "bB2Og", ">[M]<>" },
	{ "fix: another call's orphan", FIX, "bB1q23", ">>>>>" },
	{ "fix: another call's fragment while thrown away", FIX, "bBMc2zg",
	  ">[M]<[M]<[M]<>" },
	{ "fix: orphaned, with none under way", FIX, "bBOg", ">>>" },
	{ "fix: NDR64 is passed on and told once", FIX, "bBnn", ">[U]>>" },
	{ "fix: nothing bound", FIX, "g", "[M]<" },
	{ "fix: a context of nobody's", FIX, "bBuvg", ">[M]<[M]<>" },
	{ "emulate: a context of nobody's", EMULATE, "bBug", ">[M]<>" },
	{ "mismatched: a context of nobody's", MISMATCHED, "bBu", ">>" },
	{ "both: a context of nobody's", BOTH, "bBu", ">[M]>" },
	{ "fix: before its bind is answered", FIX, "bgmB+", ">>[M]<" },
	{ "fix: a fault waits for what came before", FIX, "bBgm-+",
	  ">>[M]<" },
	{ "fix: and for no more", FIX, "bBgmg+m+", ">>[M]><[M]<" },
	{ "fix: a fault of the server's is an answer", FIX, "bBgmF",
	  ">>[M]<" },
	{ "fix: one answer is not due", FIX, "bB+QgQm+", ">>[M]<" },
	{ "emulate", EMULATE, "bBgmgm", ">>[M]!" },
	{ "emulate: not a PDU", EMULATE, "bBGgm", ">[M]!" },
	{ "emulate: nobody", ANONYMOUS, "bBmg", ">[M]<>" },
	{ "mismatched: what is not a PDU", MISMATCHED, "bBGg", ">>>" },
	{ "mismatched: what is not sealed", MISMATCHED, "bBgmx123GRA",
	  ">>>>>>>>>>" },
	{ "both: observed, and passed on", BOTH, "bBgm1zg",
	  ">>[M]>>[M]>>" },
};

static void test_words(void **state)
{
	static const size_t splits[] = { 0, 1, 3, 16, 24, 31, 1000 };
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(words) * ARRAY_LEN(splits); i++) {
		size_t split = splits[i / ARRAY_LEN(words)];
		size_t n = i % ARRAY_LEN(words);
		struct play p;

		if (split != 0 && strchr(words[n].in, 'G') != NULL) {
			continue;	/* ends with its write */
		}
		start(&p, &words[n].rules);
		play(&p, words[n].in, split);
		if (strcmp(p.out, words[n].out) != 0) {
			fail_msg("%s, by %zu: %s, should be %s",
				 words[n].what, split, p.out, words[n].out);
		}
		talloc_free(p.machine);
	}
}

/* With security contexts; the bind is in front. flags: what NTLMSSP has
 * negotiated. */
#define STRONG (NTSIGN_NTLMSSP_128 | NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY)
#define WEAK (NTSIGN_NTLMSSP_56 | NTSIGN_NTLMSSP_EXTENDED_SESSIONSECURITY)
static const struct {
	const char *what;
	struct ntsign_registry_rules rules;
	uint32_t flags;
	const char *in;
	const char *out;
} secured[] = {
	{ "fix: signed is read", FIX, STRONG, "ig", ">>" },
	{ "fix: sealed is told once", FIX, STRONG, "sSkg", "[U]>>>>" },
	{ "fix: sealed by nobody", FIX, STRONG, "f", "[M]<" },
	{ "fix: signed where sealed was agreed on", FIX, STRONG, "t",
	  "[M]<" },
	{ "mismatched: signed", MISMATCHED, STRONG, "ig", ">>" },
	{ "mismatched: sealed", MISMATCHED, STRONG, "gs", ">[D]" },
	{ "mismatched: the fault is last", MISMATCHED, STRONG, "g+sgg",
	  ">[D]<." },
	{ "mismatched: SPNEGO", MISMATCHED, STRONG, "S", "[D]<." },
	{ "mismatched: Kerberos", MISMATCHED, STRONG, "k", ">" },
	{ "mismatched: 56 bits match", MISMATCHED, WEAK, "sS", ">>" },
	{ "mismatched: 9x says nothing", MISMATCHED, 0, "s", "[D]<." },
	{ "mismatched: no such context", MISMATCHED, STRONG, "f", ">" },
	{ "both", BOTH, STRONG, "ms", "[M]>[D]" },
};

static void test_secured(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(secured); i++) {
		struct play p;

		start(&p, &secured[i].rules);
		play(&p, "bB", 0);
		add_auths(&p, secured[i].flags);
		play(&p, secured[i].in, 0);
		if (strcmp(p.out, secured[i].out) != 0) {
			fail_msg("%s: %s, should be %s", secured[i].what,
				 p.out, secured[i].out);
		}
		talloc_free(p.machine);
	}
}

static void test_reports(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	const struct ntsign_registry_rules emulate = EMULATE;
	const struct ntsign_registry_rules mismatched = MISMATCHED;
	struct play p;

	(void)state;
	start(&p, &fix);
	assert_true(ntsign_registry_acts(p.machine));
	play(&p, "bBgm+", 0);
	assert_true(p.report.has_opnum);
	assert_int_equal(p.report.opnum, 15);
	assert_true(p.report.answered);
	assert_false(p.report.down);
	assert_int_equal(p.report.status, NTSIGN_DCERPC_FAULT_NDR);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_NDR);
	assert_int_equal(p.fault_call, p.call);
	play(&p, "o", 0);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_OP_RNG);
	play(&p, "R", 0);
	assert_false(p.report.has_opnum);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_PROTO);
	/* the second opinion */
	p.decodes = false;
	play(&p, "g", 0);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_NDR);
	assert_int_equal(p.asked, 2);
	assert_false(ntsign_registry_ended(p.machine));
	talloc_free(p.machine);

	start(&p, &emulate);
	play(&p, "bBm", 0);
	assert_true(p.report.down);
	assert_false(p.report.answered);
	assert_true(ntsign_registry_ended(p.machine));
	talloc_free(p.machine);

	start(&p, &mismatched);
	play(&p, "bB", 0);
	add_auths(&p, STRONG);
	play(&p, "S", 0);
	assert_int_equal(p.status, 0x721);
	assert_int_equal(p.report.key_bits, 128);
	assert_int_equal(p.report.auth_type, 9);
	talloc_free(p.machine);
}

/* A later fragment with another trailer than the first one. */
static void test_trailers(void **state)
{
	static const struct {
		uint8_t type;
		uint8_t level;
		uint32_t context;
		const char *out;
	} later[] = {
		{ 10, 5, 1, "[M]<" },	/* the stub does not decode, though */
		{ 10, 6, 1, "[M]<" }, { 10, 5, 2, "[M]<" },
		{ 0, 0, 0, "[M]<" },
	};
	const struct ntsign_registry_rules fix = FIX;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(later); i++) {
		struct pdu first = pdu_request(FIRST, 1, 0, 15, "12345678", 8);
		struct pdu last = pdu_request(LAST, 1, 0, 15, "12345678", 8);
		struct play p;

		start(&p, &fix);
		play(&p, "bB", 0);
		add_auths(&p, STRONG);
		pdu_auth(&first, 10, 5, 1, "0123456789abcdef", 16, 8);
		if (later[i].type != 0) {
			pdu_auth(&last, later[i].type, later[i].level,
				 later[i].context, "0123456789abcdef", 16, 8);
		}
		feed(&p, first.data, first.len);
		feed(&p, last.data, last.len);
		assert_string_equal(p.out, later[i].out);
		assert_int_equal(p.status, i == 0 ?
				 NTSIGN_DCERPC_FAULT_NDR :
				 NTSIGN_DCERPC_FAULT_PROTO);
		talloc_free(p.machine);
	}
}

static void test_details(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	struct play p;
	struct pdu pdu;

	(void)state;
	start(&p, &fix);
	play(&p, "bB", 0);
	add_auths(&p, STRONG);
	/* another type than was agreed on */
	pdu = sealed(1, 9, 5, 1);
	feed(&p, pdu.data, pdu.len);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_PROTO);
	/* no stub at all */
	pdu = pdu_request(FIRST | LAST, 1, 0, 15, NULL, 0);
	feed(&p, pdu.data, pdu.len);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_NDR);
	/* a later fragment in the other byte order */
	play(&p, "1", 0);
	pdu = make(&p, '3');
	pdu.data[4] = 0;
	pdu.data[8] = 0;
	pdu.data[9] = (uint8_t)pdu.len;
	memcpy(pdu.data + 12, "\0\0\0", 3);
	pdu.data[15] = (uint8_t)p.call;
	pdu.data[22] = 0;
	pdu.data[23] = 15;
	feed(&p, pdu.data, pdu.len);
	assert_int_equal(p.status, NTSIGN_DCERPC_FAULT_PROTO);
	assert_string_equal(p.out, "[M]<[M]<[M]<");
	talloc_free(p.machine);
}

/* The first token names nobody, and the key is told by the last. */
static void test_tokens(void **state)
{
	const struct ntsign_registry_rules mismatched = MISMATCHED;
	uint8_t token[72];
	struct pdu pdu;
	struct play p;

	(void)state;
	start(&p, &mismatched);
	pdu = bind_all();
	pdu_auth(&pdu, 10, 6, 1, "NTLMSSP\0\1\0\0\0\7\2\0\xA2"
				 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32, 0);
	feed(&p, pdu.data, pdu.len);
	pdu = pdu_start(NTSIGN_DCERPC_AUTH3, FIRST | LAST, 1);
	pdu_auth(&pdu, 10, 6, 1, token, authenticate(token, WEAK), 0);
	feed(&p, pdu.data, pdu.len);
	pdu = sealed(1, 10, 6, 1);
	feed(&p, pdu.data, pdu.len);
	assert_string_equal(p.out, ">>>");
	talloc_free(p.machine);
}

/* Without a second opinion the machine's own judge decides. */
static void test_alone(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	struct ntsign_registry_ops alone = ops;
	struct play p = { .decodes = false, };

	(void)state;
	alone.decodes = NULL;
	p.machine = ntsign_registry_new(NULL, &fix, &alone, &p);
	play(&p, "bBgm+", 0);
	assert_string_equal(p.out, ">>[M]<");
	talloc_free(p.machine);
}

static void test_observing(void **state)
{
	const struct ntsign_registry_rules observe = OBSERVE;
	struct play p;

	(void)state;
	start(&p, &observe);
	assert_false(ntsign_registry_acts(p.machine));
	play(&p, "bBgm", 5);
	assert_false(p.report.answered);
	assert_int_equal(p.on_len, 0);
	talloc_free(p.machine);
}

/* A request over 5 MiB is refused, and what comes of it is thrown away. */
static void test_too_large(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	uint8_t *stub = calloc(1, 4000);
	struct play p;
	size_t n = 0;

	(void)state;
	assert_non_null(stub);
	start(&p, &fix);
	play(&p, "bB1", 0);
	for (n = 0; n < NTSIGN_REGISTRY_MAX / 4024 + 2; n++) {
		struct pdu pdu = pdu_request(0, p.call, 0, 15, stub, 4000);

		ntsign_registry_request(p.machine, pdu.data, pdu.len);
	}
	assert_string_equal(p.out, ">[M]<");
	play(&p, "3g", 0);
	assert_string_equal(p.out, ">[M]<>");
	free(stub);
	talloc_free(p.machine);
}

/* Where nothing is held such a one is told of, and goes its way. */
static void test_too_long(void **state)
{
	const struct ntsign_registry_rules observe = OBSERVE;
	struct play p;
	size_t n = 0;
	unsigned int last = 0;

	(void)state;
	for (last = 0; last < 2; last++) {
		start(&p, &observe);
		play(&p, "bB1", 0);
		for (n = 0; n < NTSIGN_REGISTRY_MAX / 4024; n++) {
			struct pdu pdu = pdu_request(0, p.call, 0, 15,
						     (uint8_t[4000]){ 0 },
						     4000);

			ntsign_registry_request(p.machine, pdu.data, pdu.len);
		}
		assert_string_equal(p.out, "");
		if (last) {
			struct pdu pdu = pdu_request(LAST, p.call, 0, 15,
						     (uint8_t[4000]){ 0 },
						     4000);

			ntsign_registry_request(p.machine, pdu.data, pdu.len);
		} else {
			struct pdu pdu = pdu_request(0, p.call, 0, 15,
						     (uint8_t[4000]){ 0 },
						     4000);

			ntsign_registry_request(p.machine, pdu.data, pdu.len);
			play(&p, "3", 0);
		}
		assert_string_equal(p.out, "[U]");
		play(&p, "gm", 0);
		assert_string_equal(p.out, "[U][M]");
		ntsign_registry_stop(p.machine);
		assert_true(ntsign_registry_ended(p.machine));
		talloc_free(p.machine);
	}
}

/* Begins PDUs on so many pipes that not one byte more may be kept. */
#define FILLERS 2000

static size_t fill(struct ntsign_registry *fillers[FILLERS])
{
	static const size_t sizes[] = { 40000, 100, 1 };
	static uint8_t begun[40000] = { 5, 0, 0, 3, 0x10, 0, 0, 0, 0xFF, 0xFF };
	const struct ntsign_registry_rules observe = OBSERVE;
	static struct play p;
	size_t size = 0;
	size_t n = 0;

	while (n < FILLERS) {
		p = (struct play) { .decodes = true, };
		fillers[n] = ntsign_registry_new(NULL, &observe, &ops, &p);
		ntsign_registry_request(fillers[n], begun, sizes[size]);
		size += ntsign_registry_ended(fillers[n]);
		n++;
		if (size == ARRAY_LEN(sizes)) {
			assert_string_equal(p.out, "[U]");
			return n;
		}
	}
	fail_msg("there is no bound");
	return n;
}

/* A client whose pipes together keep too much loses those that want more. */
static void test_kept(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	static struct ntsign_registry *fillers[FILLERS];
	static struct play before[4];
	struct pdu pdu;
	size_t count = 0;
	size_t i = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(before); i++) {
		start(&before[i], &fix);
		before[i].leaves_unread = true;
		if (i != 1) {
			play(&before[i], "bBn+", 0);
		}
		before[i].out[0] = '\0';
	}
	count = fill(fillers);
	play(&before[0], "R", 0);		/* an answer */
	assert_string_equal(before[0].out, "[M][R]!");
	play(&before[1], "b", 0);		/* contexts */
	assert_string_equal(before[1].out, "[U]!");
	pdu = alter(1, 10, 6, "token", 5);	/* a security context */
	ntsign_registry_request(before[2].machine, pdu.data, pdu.len);
	assert_string_equal(before[2].out, "!");
	play(&before[3], "1", 0);		/* a fragment */
	assert_string_equal(before[3].out, "!");
	for (i = 0; i < count; i++) {
		talloc_free(fillers[i]);
	}
	for (i = 0; i < ARRAY_LEN(before); i++) {
		talloc_free(before[i].machine);
	}
	/* and all is well again */
	start(&before[0], &fix);
	ntsign_registry_stop(before[0].machine);
	play(&before[0], "bBg+m", 0);
	assert_string_equal(before[0].out, ">>[M]<");
	talloc_free(before[0].machine);
}

/* More security contexts than Samba takes are not remembered. */
static void test_many_auths(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	struct play p;
	uint32_t i = 0;

	(void)state;
	start(&p, &fix);
	play(&p, "bB", 0);
	for (i = 100; i < 100 + 2050; i++) {
		struct pdu pdu = alter(i, 10, 6, "token", 5);

		ntsign_registry_request(p.machine, pdu.data, pdu.len);
		play(&p, "B", 0);
		p.out[0] = '\0';
		p.on_len = 0;
	}
	for (i = 100 + 2047; i < 100 + 2050; i++) {
		struct pdu pdu = sealed(1, 10, 6, i);

		ntsign_registry_request(p.machine, pdu.data, pdu.len);
	}
	/* the last but one has no place */
	assert_string_equal(p.out, "[U]>>[M]");
	talloc_free(p.machine);
}

/* A pipe's malformed requests are reported up to a number, then counted. */
static void test_reports_bound(void **state)
{
	static const struct ntsign_registry_rules rules[] = { FIX, OBSERVE };
	size_t i = 0;
	unsigned int n = 0;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rules); i++) {
		unsigned int reports = 0;
		struct play p;

		start(&p, &rules[i]);
		play(&p, "bB", 0);
		for (n = 0; n < 1000; n++) {
			p.out[0] = '\0';
			play(&p, n % 2 ? "R" : "u", 0);
			reports += p.out[0] == '[';
		}
		assert_int_equal(reports, NTSIGN_REGISTRY_REPORTS_MAX);
		p.out[0] = '\0';
		ntsign_registry_close(p.machine);
		assert_string_equal(p.out, "[+M]");
		assert_int_equal(p.report.count,
				 1000 - NTSIGN_REGISTRY_REPORTS_MAX);
		talloc_free(p.machine);

		start(&p, &rules[i]);
		play(&p, "bB", 0);
		for (n = 0; n < NTSIGN_REGISTRY_REPORTS_MAX; n++) {
			play(&p, "R", 0);
		}
		p.out[0] = '\0';
		ntsign_registry_close(p.machine);
		assert_string_equal(p.out, "");
		talloc_free(p.machine);
	}
}

/* What takes the registry down is told of, whatever came before. */
static void test_down_is_told(void **state)
{
	const struct ntsign_registry_rules emulate = EMULATE;
	struct play p;
	unsigned int n = 0;

	(void)state;
	start(&p, &emulate);
	play(&p, "bB", 0);
	for (n = 0; n < 100; n++) {
		play(&p, "u", 0);
		assert_false(p.report.down);
	}
	p.out[0] = '\0';
	play(&p, "m", 0);
	assert_string_equal(p.out, "[M]!");
	assert_true(p.report.down);
	ntsign_registry_close(p.machine);
	assert_int_equal(p.report.count, 100 - NTSIGN_REGISTRY_REPORTS_MAX);
	talloc_free(p.machine);
}

/* One that leaves its answers unread gets so many, delivered or owed. */
static void test_unread(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	struct play p;
	unsigned int n = 0;
	unsigned int owed = 0;

	(void)state;
	for (owed = 0; owed < 2; owed++) {
		start(&p, &fix);
		p.leaves_unread = true;
		play(&p, owed ? "bBg" : "bB", 0);
		for (n = 0; n < NTSIGN_REGISTRY_UNREAD_MAX; n++) {
			play(&p, "R", 0);
		}
		assert_false(ntsign_registry_ended(p.machine));
		assert_int_equal(p.unread,
				 owed ? 0 : NTSIGN_REGISTRY_UNREAD_MAX);
		p.out[0] = '\0';
		play(&p, "R", 0);
		assert_string_equal(p.out, "[R]!");
		assert_true(ntsign_registry_ended(p.machine));
		/* nothing more comes, not even what was owed */
		play(&p, "+Rg+", 0);
		assert_string_equal(p.out, "[R]!");
		talloc_free(p.machine);
	}
	/* in order, with all of them owed, again and again */
	start(&p, &fix);
	play(&p, "bB", 0);
	for (n = 0; n < 100; n++) {
		p.out[0] = '\0';
		p.in_len = 0;
		play(&p, "gmgm+m", 0);
		assert_non_null(strchr(p.out, '<'));
		assert_null(strchr(strchr(p.out, '<') + 1, '<'));
		play(&p, "+", 0);
		assert_string_equal(p.out + strlen(p.out) - 2, "<<");
		assert_int_equal(p.fault_call, p.call);
	}
	talloc_free(p.machine);
}

/* What went on is what came, whatever stands between. */
static void test_bytes(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	size_t split = 0;

	(void)state;
	for (split = 0; split < 100; split++) {
		struct play p;

		start(&p, &fix);
		play(&p, "bBgg123xXyna1C23ig", split);
		assert_int_equal(p.on_len, p.in_len);
		/* the cancel overtakes the fragments: it comes behind "1" */
		assert_memory_equal(p.on, p.in, 400);
		talloc_free(p.machine);
	}
}

/*
 * 100,000 random changes of good requests, whole and in fragments: none goes
 * on that the judge finds malformed or that is no PDU, every other one does.
 */
static void test_random(void **state)
{
	const struct ntsign_registry_rules fix = FIX;
	uint32_t x = 322051;
	struct play p;
	unsigned int counts[2] = { 0 };
	unsigned int i = 0;

	(void)state;
	start(&p, &fix);
	play(&p, "bB", 0);
	for (i = 0; i < 100000; i++) {
		uint8_t stub[72];
		size_t len = open_key(stub, 16);
		size_t cut = 0;
		bool good = false;
		unsigned int n = 0;

		for (n = 0; n < 3; n++) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			if (n == 0 || x % 4 == 0) {
				stub[x % 48 + 20] = (uint8_t)(x >> 8);
			}
		}
		if (x % 16 == 0) {
			len -= x >> 8 & 15;
		}
		good = ntsign_winreg_judge(15, false, stub, len) ==
			NTSIGN_WINREG_GOOD;
		counts[good]++;
		p.out[0] = '\0';
		p.on_len = 0;
		p.in_len = 0;
		cut = x >> 16 & 63;
		if (cut < len) {
			struct pdu first = pdu_request(FIRST, i, 0, 15, stub,
						       cut);
			struct pdu last = pdu_request(LAST, i, 0, 15,
						      stub + cut, len - cut);

			feed(&p, first.data, first.len);
			assert_string_equal(p.out, "");
			feed(&p, last.data, last.len);
		} else {
			struct pdu all = pdu_request(FIRST | LAST, i, 0, 15,
						     stub, len);

			feed(&p, all.data, all.len);
		}
		if (good) {
			assert_int_equal(p.on_len, p.in_len);
			assert_memory_equal(p.on, p.in, p.in_len);
			play(&p, "+", 0);
		} else {
			assert_string_equal(p.out, counts[0] <=
					    NTSIGN_REGISTRY_REPORTS_MAX ?
					    "[M]<" : "<");
			assert_int_equal(p.on_len, 0);
			assert_int_equal(p.fault_call, i);
		}
	}
	assert_true(counts[0] > 5000 && counts[1] > 5000);
	talloc_free(p.machine);
}

/* Without memory nothing goes on that was not looked at: the pipe breaks. */
static void test_no_memory(void **state)
{
	const struct ntsign_registry_rules rules[] = { FIX, BOTH, OBSERVE };
	size_t n = 0;
	size_t i = 0;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		skip();
	}
	for (i = 0; i < 3 * 60; i++) {
		const struct ntsign_registry_rules *rule = &rules[i / 60];
		struct play p = { .decodes = true, };
		bool failed = false;

		n = i % 60;
		failing_malloc_arm(n);
		p.machine = ntsign_registry_new(NULL, rule, &ops, &p);
		if (p.machine == NULL) {
			assert_true(failing_malloc_disarm());
			continue;
		}
		failing_malloc_disarm();
		play(&p, "bB", 0);
		failing_malloc_arm(n);
		/* copies are made by feed() too: those are left out */
		{
			static struct pdu pdus[8];
			static uint8_t ntlm[72];
			size_t len = authenticate(ntlm, STRONG);
			size_t m = 0;

			pdus[0] = alter(2, 10, 6, ntlm, len);
			pdus[1] = make(&p, '1');
			pdus[2] = make(&p, '2');
			pdus[3] = make(&p, '3');
			pdus[4] = make(&p, 'm');
			pdus[5] = pdu_bind(NTSIGN_DCERPC_ALTER_CONTEXT);
			pdu_context(&pdus[5], 0x900, SYNTAX_WINREG, SYNTAX_NDR,
				    NULL);
			pdus[6] = make(&p, 'g');
			pdus[7] = make(&p, 's');
			for (m = 0; m < 8; m++) {
				size_t part = pdus[m].len / 5;

				ntsign_registry_request(p.machine,
							pdus[m].data, part);
				ntsign_registry_request(p.machine,
							pdus[m].data + part,
							pdus[m].len - part);
				server(&p, '+');
			}
		}
		failed = failing_malloc_disarm();
		if (failed && ntsign_registry_acts(p.machine) &&
		    ntsign_registry_ended(p.machine))
		{
			assert_non_null(strpbrk(p.out, "!."));
		}
		if (!failed) {
			assert_null(strchr(p.out, '!'));
		}
		talloc_free(p.machine);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_secured),
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_alone),
		cmocka_unit_test(test_observing),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_many_auths),
		cmocka_unit_test(test_reports_bound),
		cmocka_unit_test(test_down_is_told),
		cmocka_unit_test(test_unread),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
