/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * load: puts one kind of load on one or two smbd and says what it cost each.
 * Two are loaded in turn, in slices of some milliseconds, so that whatever
 * else the machine does hits both.
 *
 * Invariant: between the two readings of the clocks this program does nothing
 * that a server's speed could hide behind: requests are written once, several
 * are kept under way on the connection, answers are only looked at for their
 * status.  An answer that is not the expected one ends the program.
 *
 * A client library would spend as much time on a request as smbd does, and
 * waits for each answer; that is why this one speaks SMB itself.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/provider.h>

#define STATUS_PENDING 0x00000103u
#define STATUS_MORE_PROCESSING 0xc0000016u
#define REQUEST_MAX 4096
#define ANSWER_MAX (2 * 1024 * 1024)
#define READ_SIZE (1024 * 1024)
#define DEPTH_MAX 32
#define CHILDREN_MAX 256
#define TARGETS_MAX 2

enum { CHALLENGE = 8, HASH = 16, PREAUTH = 64, HANDLE = 20 };

#define READ_ACCESS 0x00120089u
#define PIPE_ACCESS 0x0012019fu
#define FSCTL_PIPE_TRANSCEIVE 0x0011c017u

struct options {
	char share[128];
	const char *file;
	bool smb2;
	bool sign;
	unsigned count;
	unsigned slice;
	unsigned depth;
};

/* A request under construction; bytes[0..3] is the transport's length. */
struct request {
	uint8_t bytes[REQUEST_MAX];
	size_t length;
};

struct connection {
	int fd;
	bool smb2;
	bool sign;
	uint16_t uid;
	uint16_t tid1;
	uint32_t tid2;
	uint64_t session;
	uint64_t message;	/* next message id; SMB1: next MID */
	uint32_t sequence;	/* SMB1: next sequence number */
	int credits;
	uint8_t file[16];
	uint8_t key_handle[HANDLE];	/* the registry's, of a key */
	uint8_t key[HASH];	/* session key, SMB2: then the signing key */
	uint8_t preauth[PREAUTH];
	EVP_MAC_CTX *cmac;
	uint8_t *answer;	/* ANSWER_MAX bytes, reused */
	size_t received;
	size_t consumed;
};

/* A server under load, and what that has cost so far. */
struct target {
	uint16_t port;
	pid_t server;		/* smbd's first process */
	const char *user;
	const char *password;
	size_t children;	/* of the server, without our connection */
	pid_t before[CHILDREN_MAX];
	struct connection connection;
	clockid_t cpu;		/* of the connection's process */
	double *wall;		/* seconds, a slice each */
	double *used;		/* seconds of CPU, a slice each */
	size_t slices;
};

/* ---- bytes ------------------------------------------------------------- */

static void add(struct request *r, const void *data, size_t length)
{
	if (length > sizeof(r->bytes) - r->length) {
		errx(3, "a request is larger than %d bytes", REQUEST_MAX);
	}
	memcpy(r->bytes + r->length, data, length);
	r->length += length;
}

static void add_zero(struct request *r, size_t length)
{
	static const uint8_t zero[64];

	add(r, zero, length);
}

static void add8(struct request *r, uint8_t value)
{
	add(r, &value, 1);
}

static void set_le(uint8_t *p, uint64_t value, size_t length)
{
	size_t i = 0;

	for (i = 0; i < length; i++) {
		p[i] = (uint8_t)(value >> (8 * i));
	}
}

static void add_le(struct request *r, uint64_t value, size_t length)
{
	uint8_t bytes[8] = { 0 };

	set_le(bytes, value, length);
	add(r, bytes, length);
}

static void add16(struct request *r, uint16_t value)
{
	add_le(r, value, 2);
}

static void add32(struct request *r, uint32_t value)
{
	add_le(r, value, 4);
}

static uint64_t get_le(const uint8_t *p, size_t length)
{
	uint64_t value = 0;
	size_t i = 0;

	for (i = 0; i < length; i++) {
		value |= (uint64_t)p[i] << (8 * i);
	}
	return value;
}

/* ASCII only: the lab's names and passwords are. */
static void add_utf16(struct request *r, const char *text, bool upper)
{
	for (; *text != '\0'; text++) {
		char c = *text;

		if (upper && c >= 'a' && c <= 'z') {
			c -= 'a' - 'A';
		}
		add16(r, (uint8_t)c);
	}
}

/* ---- clocks ------------------------------------------------------------ */

static double seconds(clockid_t clock)
{
	struct timespec now = { .tv_sec = 0 };

	if (clock_gettime(clock, &now) != 0) {
		err(3, "clock_gettime");
	}
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What process and its dead and waited-for children used, in clock ticks. */
static double process_ticks(pid_t pid)
{
	unsigned long user = 0, sys = 0;
	long child_user = 0, child_sys = 0;
	char path[64] = "";
	FILE *in = NULL;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	in = fopen(path, "re");
	if (in == NULL) {
		err(3, "%s", path);
	}
	found = fscanf(in, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u "
		       "%*u %*u %lu %lu %ld %ld",
		       &user, &sys, &child_user, &child_sys);
	fclose(in);
	if (found != 4) {
		errx(3, "%s: not understood", path);
	}
	return (double)user + (double)sys + (double)child_user +
	       (double)child_sys;
}

/* Fills pids with the server's children and returns how many there are. */
static size_t list_children(pid_t server, pid_t *pids)
{
	char path[64] = "";
	FILE *in = NULL;
	size_t count = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)server,
		 (int)server);
	in = fopen(path, "re");
	if (in == NULL) {
		err(3, "%s", path);
	}
	while (count < CHILDREN_MAX && fscanf(in, "%d", &pids[count]) == 1) {
		count++;
	}
	fclose(in);
	return count;
}

/* The process that serves the connection made since t->before was listed. */
static pid_t new_child(const struct target *t)
{
	pid_t now[CHILDREN_MAX] = { 0 };
	size_t total = list_children(t->server, now);
	size_t i = 0, j = 0;

	for (i = 0; i < total; i++) {
		for (j = 0; j < t->children && t->before[j] != now[i]; j++) {
			continue;
		}
		if (j == t->children) {
			return now[i];
		}
	}
	errx(3, "process %d has no new child: is it the smbd on port %u?",
	     (int)t->server, t->port);
}

/* ---- crypto ------------------------------------------------------------ */

static void digest(const EVP_MD *type, const void *data, size_t length,
		   uint8_t *out)
{
	if (type == NULL ||
	    EVP_Digest(data, length, out, NULL, type, NULL) != 1) {
		errx(3, "OpenSSL cannot compute a digest");
	}
}

static void hmac(const EVP_MD *type, const uint8_t *key, const void *data,
		 size_t length, uint8_t *out)
{
	if (HMAC(type, key, HASH, data, length, out, NULL) == NULL) {
		errx(3, "OpenSSL cannot compute an HMAC");
	}
}

/* SMB 3.1.1: extends the hash over the logon's messages by one. */
static void extend_preauth(struct connection *c, const uint8_t *message,
			   size_t length)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (context == NULL ||
	    EVP_DigestInit_ex(context, EVP_sha512(), NULL) != 1 ||
	    EVP_DigestUpdate(context, c->preauth, PREAUTH) != 1 ||
	    EVP_DigestUpdate(context, message, length) != 1 ||
	    EVP_DigestFinal_ex(context, c->preauth, NULL) != 1) {
		errx(3, "OpenSSL cannot compute SHA-512");
	}
	EVP_MD_CTX_free(context);
}

/* SMB 3.1.1: session key to signing key, and AES-CMAC made ready with it. */
static void start_smb2_signing(struct connection *c)
{
	char name[] = "AES-128-CBC";
	OSSL_PARAM parameters[] = {
		OSSL_PARAM_construct_utf8_string("cipher", name, 0),
		OSSL_PARAM_construct_end(),
	};
	struct request label = { .length = 0 };
	uint8_t key[EVP_MAX_MD_SIZE] = { 0 };
	EVP_MAC *mac = NULL;

	add(&label, "\0\0\0\1SMBSigningKey\0\0", 4 + 14 + 1);
	add(&label, c->preauth, PREAUTH);
	add(&label, "\0\0\0\200", 4);
	hmac(EVP_sha256(), c->key, label.bytes, label.length, key);
	memcpy(c->key, key, HASH);

	mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	c->cmac = EVP_MAC_CTX_new(mac);
	EVP_MAC_free(mac);
	if (c->cmac == NULL ||
	    EVP_MAC_init(c->cmac, c->key, HASH, parameters) != 1) {
		errx(3, "OpenSSL cannot compute an AES-CMAC");
	}
}

static void sign_smb2(struct connection *c, uint8_t *message, size_t length)
{
	uint8_t mac[HASH] = { 0 };

	message[16] |= 0x08;
	memset(message + 48, 0, HASH);
	if (EVP_MAC_init(c->cmac, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(c->cmac, message, length) != 1 ||
	    EVP_MAC_final(c->cmac, mac, NULL, sizeof(mac)) != 1) {
		errx(3, "OpenSSL cannot compute an AES-CMAC");
	}
	memcpy(message + 48, mac, HASH);
}

static void sign_smb1(struct connection *c, uint8_t *message, size_t length)
{
	uint8_t keyed[HASH + REQUEST_MAX] = { 0 };
	uint8_t mac[HASH] = { 0 };

	set_le(message + 14, c->sequence, 8);
	c->sequence += 2;
	memcpy(keyed, c->key, HASH);
	memcpy(keyed + HASH, message, length);
	digest(EVP_md5(), keyed, HASH + length, mac);
	memcpy(message + 14, mac, 8);
}

/* ---- transport --------------------------------------------------------- */

static void send_all(struct connection *c, const uint8_t *data, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(c->fd, data, length, MSG_NOSIGNAL);

		if (sent < 0) {
			err(3, "send");
		}
		data += sent;
		length -= (size_t)sent;
	}
}

/* The next whole answer; it stays valid until the next call. */
static const uint8_t *next_answer(struct connection *c, size_t *length)
{
	while (true) {
		const uint8_t *at = c->answer + c->consumed;
		size_t have = c->received - c->consumed;
		ssize_t got = 0;

		if (have >= 4) {
			size_t size = (size_t)at[1] << 16 |
				      (size_t)at[2] << 8 | at[3];

			if (size + 4 > ANSWER_MAX || size < 32) {
				errx(3, "an answer of %zu bytes", size);
			}
			if (have >= size + 4) {
				c->consumed += size + 4;
				*length = size;
				return at + 4;
			}
		}
		memmove(c->answer, at, have);
		c->consumed = 0;
		c->received = have;
		got = recv(c->fd, c->answer + have, ANSWER_MAX - have, 0);
		if (got <= 0) {
			errx(3, "the server closed the connection");
		}
		c->received += (size_t)got;
	}
}

static uint32_t answer_status(const struct connection *c, const uint8_t *a)
{
	return (uint32_t)get_le(a + (c->smb2 ? 8 : 5), 4);
}

/* Starts a request: transport and SMB header, in the connection's dialect. */
static void begin(const struct connection *c, struct request *r, uint16_t op,
		  uint16_t charge)
{
	r->length = 0;
	add_zero(r, 4);
	if (c->smb2) {
		add(r, "\376SMB", 4);
		add16(r, 64);
		add16(r, charge);
		add32(r, 0);
		add16(r, op);
		add16(r, 128);
		add_zero(r, 4 + 4 + 8 + 4);
		add32(r, c->tid2);
		add_le(r, c->session, 8);
		add_zero(r, 16);
		return;
	}
	add(r, "\377SMB", 4);
	add8(r, (uint8_t)op);
	add32(r, 0);
	add8(r, 0x18);
	add16(r, 0xc801 | (c->sign ? 0x0014 : 0));
	add_zero(r, 12);
	add16(r, c->tid1);
	add16(r, 1);
	add16(r, c->uid);
	add16(r, 0);
}

/* Completes a request for sending: length, message id, signature. */
static void seal(struct connection *c, struct request *r, bool sign)
{
	uint8_t *message = r->bytes + 4;
	size_t length = r->length - 4;

	r->bytes[2] = (uint8_t)(length >> 8);
	r->bytes[3] = (uint8_t)length;
	if (c->smb2) {
		uint16_t charge = (uint16_t)get_le(message + 6, 2);

		set_le(message + 24, c->message, 8);
		c->message += charge > 0 ? charge : 1;
		c->credits -= charge > 0 ? charge : 1;
		if (sign) {
			sign_smb2(c, message, length);
		}
		return;
	}
	set_le(message + 30, c->message++ & 0x7fff, 2);
	if (sign) {
		sign_smb1(c, message, length);
	}
}

static const uint8_t *call(struct connection *c, struct request *r, bool sign,
			   size_t *length)
{
	const uint8_t *answer = NULL;

	seal(c, r, sign);
	send_all(c, r->bytes, r->length);
	do {
		answer = next_answer(c, length);
		if (c->smb2) {
			c->credits += (int)get_le(answer + 14, 2);
		}
	} while (c->smb2 && answer_status(c, answer) == STATUS_PENDING);
	return answer;
}

static void expect_ok(const struct connection *c, const uint8_t *answer,
		      const char *what)
{
	uint32_t status = answer_status(c, answer);

	if (status != 0) {
		errx(3, "%s: status 0x%08x", what, status);
	}
}

/* ---- logon ------------------------------------------------------------- */

static void ntlmssp_negotiate(struct request *r)
{
	add(r, "NTLMSSP\0", 8);
	add32(r, 1);
	add32(r, 0xa0088215);
	add_zero(r, 16);
}

static void ntlmssp_field(struct request *r, size_t length, size_t *offset)
{
	add16(r, (uint16_t)length);
	add16(r, (uint16_t)length);
	add32(r, (uint32_t)*offset);
	*offset += length;
}

/* The NTLMv2 answer to a challenge; leaves the session key in c->key. */
static void ntlmssp_authenticate(struct connection *c, struct request *r,
				 const struct target *t,
				 const uint8_t *challenge, size_t length)
{
	struct request text = { .length = 0 };
	struct request blob = { .length = 0 };
	struct request user = { .length = 0 };
	uint8_t owf[EVP_MAX_MD_SIZE] = { 0 };
	uint8_t proof[HASH] = { 0 };
	size_t offset = 64, size = 0, start = 0;

	if (length < 48 || memcmp(challenge, "NTLMSSP\0\2", 9) != 0) {
		errx(3, "the server sent no NTLMSSP challenge");
	}
	size = get_le(challenge + 40, 2);
	start = get_le(challenge + 44, 4);
	if (start > length || size > length - start) {
		errx(3, "the server's target information is cut off");
	}

	add_utf16(&text, t->password, false);
	digest(EVP_get_digestbyname("MD4"), text.bytes, text.length, owf);
	add_utf16(&user, t->user, true);
	hmac(EVP_md5(), owf, user.bytes, user.length, owf);

	add(&blob, challenge + 24, CHALLENGE);
	add(&blob, "\1\1\0\0\0\0\0\0", 8);
	add(&blob, "\0\0\0\0\0\0\xdc\1", 8);
	add(&blob, "loadload", CHALLENGE);
	add_zero(&blob, 4);
	add(&blob, challenge + start, size);
	add_zero(&blob, 4);
	hmac(EVP_md5(), owf, blob.bytes, blob.length, proof);
	hmac(EVP_md5(), owf, proof, HASH, c->key);

	size = HASH + blob.length - CHALLENGE;
	add(r, "NTLMSSP\0", 8);
	add32(r, 3);
	ntlmssp_field(r, 0, &offset);
	ntlmssp_field(r, size, &offset);
	ntlmssp_field(r, 0, &offset);
	ntlmssp_field(r, user.length, &offset);
	ntlmssp_field(r, 0, &offset);
	ntlmssp_field(r, 0, &offset);
	add32(r, 0xa0088215);
	add(r, proof, HASH);
	add(r, blob.bytes + CHALLENGE, blob.length - CHALLENGE);
	add_utf16(r, t->user, true);
}

static void smb1_negotiate(struct connection *c)
{
	static const char dialect[] = "\2NT LM 0.12";
	struct request r;
	size_t length = 0;
	const uint8_t *answer = NULL;

	begin(c, &r, 0x72, 0);
	add8(&r, 0);
	add16(&r, sizeof(dialect));
	add(&r, dialect, sizeof(dialect));
	answer = call(c, &r, false, &length);
	expect_ok(c, answer, "SMB1 negotiate");
	if (length < 69 || answer[32] != 17) {
		errx(3, "the server does not speak NT LM 0.12");
	}
}

static const uint8_t *smb1_session_setup(struct connection *c,
					 const struct request *token,
					 size_t *length)
{
	struct request r;
	const uint8_t *answer = NULL;

	begin(c, &r, 0x73, 0);
	add8(&r, 12);
	add(&r, "\377\0\0\0", 4);
	add16(&r, 0xffff);
	add16(&r, 50);
	add16(&r, 1);
	add32(&r, 0);
	add16(&r, (uint16_t)token->length);
	add32(&r, 0);
	add32(&r, 0x8000005c);
	add16(&r, (uint16_t)(token->length + 5));
	add(&r, token->bytes, token->length);
	/* Two empty strings, the first one aligned. */
	add_zero(&r, 5);
	answer = call(c, &r, false, length);
	if (*length < 43 || answer[32] != 4) {
		errx(3, "SMB1 session setup: status 0x%08x",
		     answer_status(c, answer));
	}
	c->uid = (uint16_t)get_le(answer + 28, 2);
	return answer;
}

static void smb1_tree_connect(struct connection *c, const struct options *o)
{
	struct request r;
	size_t length = 0;
	const uint8_t *answer = NULL;

	begin(c, &r, 0x75, 0);
	add8(&r, 4);
	add(&r, "\377\0\0\0\0\0\1\0", 8);
	add16(&r, (uint16_t)(1 + 2 * (strlen(o->share) + 1) + 6));
	add8(&r, 0);
	add_utf16(&r, o->share, false);
	add16(&r, 0);
	add(&r, "?????", 6);
	answer = call(c, &r, c->sign, &length);
	expect_ok(c, answer, "SMB1 tree connect");
	c->tid1 = (uint16_t)get_le(answer + 24, 2);
}

static void smb2_negotiate(struct connection *c)
{
	struct request r;
	size_t length = 0;
	const uint8_t *answer = NULL;

	begin(c, &r, 0, 0);
	add16(&r, 36);
	add16(&r, 1);
	add16(&r, 1);
	add16(&r, 0);
	add32(&r, 4);
	add(&r, "ntsign-bench-run", 16);
	add32(&r, 64 + 40);
	add16(&r, 1);
	add16(&r, 0);
	add16(&r, 0x0311);
	add16(&r, 0);
	/* One context: SHA-512 with 32 bytes of salt. */
	add16(&r, 1);
	add16(&r, 6 + 32);
	add32(&r, 0);
	add16(&r, 1);
	add16(&r, 32);
	add16(&r, 1);
	add_zero(&r, 32);
	answer = call(c, &r, false, &length);
	expect_ok(c, answer, "SMB2 negotiate");
	if (length < 70 || get_le(answer + 68, 2) != 0x0311) {
		errx(3, "the server does not speak SMB 3.1.1");
	}
	extend_preauth(c, r.bytes + 4, r.length - 4);
	extend_preauth(c, answer, length);
}

static const uint8_t *smb2_session_setup(struct connection *c,
					 const struct request *token,
					 size_t *length)
{
	struct request r;
	const uint8_t *answer = NULL;

	begin(c, &r, 1, 1);
	add16(&r, 25);
	add8(&r, 0);
	add8(&r, 1);
	add_zero(&r, 8);
	add16(&r, 64 + 24);
	add16(&r, (uint16_t)token->length);
	add_zero(&r, 8);
	add(&r, token->bytes, token->length);
	answer = call(c, &r, false, length);
	c->session = get_le(answer + 40, 8);
	extend_preauth(c, r.bytes + 4, r.length - 4);
	if (answer_status(c, answer) == STATUS_MORE_PROCESSING) {
		extend_preauth(c, answer, *length);
	}
	return answer;
}

static void smb2_tree_connect(struct connection *c, const struct options *o)
{
	struct request r;
	size_t length = 0;
	const uint8_t *answer = NULL;

	begin(c, &r, 3, 1);
	add16(&r, 9);
	add16(&r, 0);
	add16(&r, 64 + 8);
	add16(&r, (uint16_t)(2 * strlen(o->share)));
	add_utf16(&r, o->share, false);
	/* SMB 3.1.1 wants this one signed in any case. */
	answer = call(c, &r, true, &length);
	expect_ok(c, answer, "SMB2 tree connect");
	c->tid2 = (uint32_t)get_le(answer + 36, 4);
}

static void smb2_open(struct connection *c, const char *name,
		      uint32_t access)
{
	struct request r;
	size_t length = 0;
	const uint8_t *answer = NULL;

	begin(c, &r, 5, 1);
	add16(&r, 57);
	add16(&r, 0);
	add32(&r, 2);
	add_zero(&r, 16);
	add32(&r, access);
	add32(&r, 0);
	add32(&r, 7);
	add32(&r, 1);
	add32(&r, 0);
	add16(&r, 64 + 56);
	add16(&r, (uint16_t)(2 * strlen(name)));
	add_zero(&r, 8);
	add_utf16(&r, name, false);
	answer = call(c, &r, c->sign, &length);
	expect_ok(c, answer, "SMB2 create");
	if (length < 64 + 64 + 16) {
		errx(3, "SMB2 create: the answer is cut off");
	}
	memcpy(c->file, answer + 64 + 64, sizeof(c->file));
}

static void log_on(struct connection *c, const struct options *o,
		   const struct target *t)
{
	struct request token = { .length = 0 };
	const uint8_t *answer = NULL;
	const uint8_t *challenge = NULL;
	size_t length = 0, at = 0, size = 0;

	ntlmssp_negotiate(&token);
	if (c->smb2) {
		smb2_negotiate(c);
		answer = smb2_session_setup(c, &token, &length);
		at = get_le(answer + 68, 2);
		size = get_le(answer + 70, 2);
	} else {
		smb1_negotiate(c);
		answer = smb1_session_setup(c, &token, &length);
		at = 43;
		size = get_le(answer + 39, 2);
	}
	if (answer_status(c, answer) != STATUS_MORE_PROCESSING ||
	    at > length || size > length - at) {
		errx(3, "first session setup: status 0x%08x",
		     answer_status(c, answer));
	}
	challenge = answer + at;
	token.length = 0;
	ntlmssp_authenticate(c, &token, t, challenge, size);
	if (c->smb2) {
		answer = smb2_session_setup(c, &token, &length);
		expect_ok(c, answer, "SMB2 session setup");
		start_smb2_signing(c);
		smb2_tree_connect(c, o);
	} else {
		answer = smb1_session_setup(c, &token, &length);
		expect_ok(c, answer, "SMB1 session setup");
		/* 0 and 1 were this session setup and its answer. */
		c->sequence = 2;
		smb1_tree_connect(c, o);
	}
}

static void open_connection(struct target *t, const struct options *o)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(t->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct connection *c = &t->connection;
	uint8_t *answer = c->answer;
	int one = 1;

	*c = (struct connection) {
		.smb2 = o->smb2,
		.sign = o->sign,
		.answer = answer,
		.credits = 1,
	};
	if (c->answer == NULL) {
		c->answer = malloc(ANSWER_MAX);
		if (c->answer == NULL) {
			err(3, "malloc");
		}
	}
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (void *)&address, sizeof(address)) != 0) {
		err(3, "127.0.0.1 port %u", t->port);
	}
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	log_on(c, o, t);
}

/* Ends a connection and waits until its process has gone, too. */
static void close_connection(struct target *t)
{
	struct connection *c = &t->connection;
	struct pollfd gone = { .fd = -1, .events = POLLIN };
	int result = 0;

	gone.fd = (int)syscall(SYS_pidfd_open, new_child(t), 0);
	if (gone.fd < 0) {
		err(3, "pidfd_open");
	}
	close(c->fd);
	EVP_MAC_CTX_free(c->cmac);
	c->cmac = NULL;
	result = poll(&gone, 1, 20000);
	if (result != 1) {
		errx(3, "smbd's process does not end");
	}
	close(gone.fd);
}

/* ---- loads ------------------------------------------------------------- */

static void make_echo(const struct connection *c, const struct options *o,
		      struct request *r)
{
	(void)o;
	if (c->smb2) {
		begin(c, r, 13, 1);
		add16(r, 4);
		add16(r, 0);
		return;
	}
	begin(c, r, 0x2b, 0);
	add8(r, 1);
	add16(r, 1);
	add16(r, 1);
	add8(r, 'x');
}

/* SMB1: the attributes of a path; SMB2: of an open file. */
static void make_attributes(const struct connection *c,
			    const struct options *o, struct request *r)
{
	if (c->smb2) {
		begin(c, r, 16, 1);
		add16(r, 41);
		add8(r, 1);
		add8(r, 5);
		add32(r, 256);
		add_zero(r, 16);
		add(r, c->file, sizeof(c->file));
		return;
	}
	begin(c, r, 0x08, 0);
	add8(r, 0);
	add16(r, (uint16_t)(1 + 2 * (strlen(o->file) + 2)));
	add8(r, 4);
	add16(r, '\\');
	add_utf16(r, o->file, false);
	add16(r, 0);
}

static void make_read(const struct connection *c, const struct options *o,
		      struct request *r)
{
	(void)o;
	begin(c, r, 8, READ_SIZE / 65536);
	add16(r, 49);
	add8(r, 0x50);
	add8(r, 0);
	add32(r, READ_SIZE);
	add_zero(r, 8);
	add(r, c->file, sizeof(c->file));
	add_zero(r, 4 + 4 + 4 + 2 + 2);
	add8(r, 0);
}

/* ---- a pipe ------------------------------------------------------------ */

/* A PDU, whose body is to follow, in a request to the pipe. */
static void begin_pdu(const struct connection *c, struct request *r,
		      uint8_t type, uint16_t body)
{
	uint16_t size = 16 + body;

	begin(c, r, 11, 1);
	add16(r, 57);
	add16(r, 0);
	add32(r, FSCTL_PIPE_TRANSCEIVE);
	add(r, c->file, sizeof(c->file));
	add32(r, 64 + 56);
	add32(r, size);
	add32(r, 0);
	add_zero(r, 4 + 4);
	add32(r, 4280);
	add32(r, 1);
	add32(r, 0);
	add(r, "\5\0", 2);
	add8(r, type);
	add8(r, 3);
	add(r, "\20\0\0\0", 4);
	add16(r, size);
	add16(r, 0);
	add32(r, 1);
}

/* The PDU in an answer: its body, which has to be of that type and size. */
static const uint8_t *pdu_body(const uint8_t *answer, size_t length,
			       uint8_t type, size_t least)
{
	size_t at = 0, size = 0;

	if (length >= 64 + 48) {
		at = get_le(answer + 64 + 32, 4);
		size = get_le(answer + 64 + 36, 4);
	}
	if (at > length || size > length - at || size < 16 + least) {
		errx(3, "the pipe's answer is cut off");
	}
	if (answer[at + 2] != type) {
		errx(3, "the pipe answers with a PDU of type %u",
		     answer[at + 2]);
	}
	return answer + at + 16;
}

enum { PDU_REQUEST = 0, PDU_RESPONSE = 2, PDU_BIND = 11, PDU_BIND_ACK = 12 };

static void begin_rpc(const struct connection *c, struct request *r,
		      uint16_t opnum, uint16_t stub)
{
	begin_pdu(c, r, PDU_REQUEST, 8 + stub);
	add32(r, stub);
	add16(r, 0);
	add16(r, opnum);
}

/* Binds to winreg, and opens HKEY_LOCAL_MACHINE. */
static void open_registry(struct connection *c)
{
	static const uint8_t winreg[20] = {
		0x01, 0xd0, 0x8c, 0x33, 0x44, 0x22, 0xf1, 0x31, 0xaa, 0xaa,
		0x90, 0x00, 0x38, 0x00, 0x10, 0x03, 1,
	};
	static const uint8_t ndr[20] = {
		0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8,
		0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2,
	};
	struct request r;
	const uint8_t *answer = NULL;
	size_t length = 0;

	begin_pdu(c, &r, PDU_BIND, 12 + 4 + 20 + 20);
	add16(&r, 4280);
	add16(&r, 4280);
	add32(&r, 0);
	add32(&r, 1);
	add16(&r, 0);
	add16(&r, 1);
	add(&r, winreg, sizeof(winreg));
	add(&r, ndr, sizeof(ndr));
	answer = call(c, &r, c->sign, &length);
	expect_ok(c, answer, "bind");
	pdu_body(answer, length, PDU_BIND_ACK, 0);

	begin_rpc(c, &r, 2, 8);
	add32(&r, 0);
	add32(&r, 0x02000000);
	answer = call(c, &r, c->sign, &length);
	expect_ok(c, answer, "OpenLocalMachine");
	memcpy(c->key_handle,
	       pdu_body(answer, length, PDU_RESPONSE, 8 + HANDLE + 4) + 8,
	       HANDLE);
}

/* The name of a key's first subkey. */
static void make_registry(const struct connection *c,
			  const struct options *o, struct request *r)
{
	(void)o;
	begin_rpc(c, r, 9, HANDLE + 40);
	add(r, c->key_handle, HANDLE);
	add32(r, 0);
	/* the name's buffer: of 256 characters, none of them sent */
	add16(r, 0);
	add16(r, 512);
	add32(r, 0x20000);
	add32(r, 256);
	add32(r, 0);
	add32(r, 0);
	/* no buffer for the class, no time */
	add32(r, 0x20004);
	add16(r, 0);
	add16(r, 0);
	add32(r, 0);
	add32(r, 0);
}

struct load {
	const char *name;
	void (*run)(struct target *targets, size_t count,
		    const struct options *o, const struct load *load);
	void (*make)(const struct connection *c, const struct options *o,
		     struct request *r);
	bool file;		/* needs an open file in SMB2 */
};

/* A good answer, signed where the request was: both say so in their flags. */
static void expect_answer(const struct connection *c, const uint8_t *answer,
			  const char *what)
{
	bool is_signed = c->smb2 ? (answer[16] & 0x08) != 0 :
		(answer[10] & 0x04) != 0 && get_le(answer + 14, 8) != 0;

	expect_ok(c, answer, what);
	if (is_signed != c->sign) {
		errx(3, "%s: the answer is %ssigned", what,
		     is_signed ? "" : "not ");
	}
}

/* Sends "count" requests, up to o->depth of them without an answer yet. */
static void run_requests(struct connection *c, const struct options *o,
			 const struct load *load, unsigned count)
{
	static uint8_t batch[DEPTH_MAX * REQUEST_MAX];
	unsigned sent = 0, done = 0;

	while (done < count) {
		size_t length = 0;
		unsigned target = 0;

		while (sent < count && sent - done < o->depth) {
			struct request r;

			load->make(c, o, &r);
			seal(c, &r, c->sign);
			memcpy(batch + length, r.bytes, r.length);
			length += r.length;
			sent++;
		}
		if (c->smb2 && c->credits < 0) {
			errx(3, "the server grants too few credits");
		}
		send_all(c, batch, length);
		target = sent == count ? sent : sent - o->depth / 2;
		while (done < target) {
			size_t size = 0;
			const uint8_t *answer = next_answer(c, &size);

			if (c->smb2) {
				c->credits += (int)get_le(answer + 14, 2);
				if (answer_status(c, answer) ==
				    STATUS_PENDING) {
					continue;
				}
			}
			expect_answer(c, answer, load->name);
			if (load->make == make_read && size < READ_SIZE) {
				errx(3, "the file is shorter than 1 MiB");
			}
			if (load->make == make_registry) {
				pdu_body(answer, size, PDU_RESPONSE, 8);
			}
			done++;
		}
	}
}

/* The slices' order: first, second, second, first, and so on. */
static struct target *in_turn(struct target *targets, size_t count, size_t n)
{
	return &targets[count == 1 ? 0 : (n ^ (n >> 1)) & 1];
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Slices that something else got into the way of are not what counts. */
static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(values[0]), compare);
	return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void load_requests(struct target *targets, size_t count,
			  const struct options *o, const struct load *load)
{
	size_t i = 0;

	for (i = 0; i < count; i++) {
		struct target *t = &targets[i];

		open_connection(t, o);
		if (load->file && o->smb2) {
			smb2_open(&t->connection, o->file,
				  load->make == make_registry ? PIPE_ACCESS :
				  READ_ACCESS);
		}
		if (load->make == make_registry) {
			open_registry(&t->connection);
		}
		if (clock_getcpuclockid(new_child(t), &t->cpu) != 0) {
			errx(3, "no CPU clock for smbd's process");
		}
		run_requests(&t->connection, o, load, o->slice);
	}
	for (i = 0; i < count * o->count; i++) {
		struct target *t = in_turn(targets, count, i);
		double used = seconds(t->cpu);
		double wall = seconds(CLOCK_MONOTONIC);

		run_requests(&t->connection, o, load, o->slice);
		t->wall[t->slices] = seconds(CLOCK_MONOTONIC) - wall;
		t->used[t->slices++] = seconds(t->cpu) - used;
	}
	for (i = 0; i < count; i++) {
		close_connection(&targets[i]);
	}
}

/*
 * A slice is one session, from connecting until its process has gone. Then
 * the process's own clock has gone as well, so the CPU time is taken from the
 * server's account of its children; the kernel gives that in ticks of 10 ms.
 */
static void load_sessions(struct target *targets, size_t count,
			  const struct options *o, const struct load *load)
{
	double ticks = (double)sysconf(_SC_CLK_TCK);
	double before[TARGETS_MAX] = { 0 };
	size_t i = 0;

	(void)load;
	if (o->slice != 1) {
		errx(2, "a slice of sessions is one session");
	}
	for (i = 0; i < count; i++) {
		before[i] = process_ticks(targets[i].server);
	}
	for (i = 0; i < count * o->count; i++) {
		struct target *t = in_turn(targets, count, i);
		double wall = seconds(CLOCK_MONOTONIC);

		open_connection(t, o);
		close_connection(t);
		t->wall[t->slices++] = seconds(CLOCK_MONOTONIC) - wall;
	}
	for (i = 0; i < count; i++) {
		struct target *t = &targets[i];
		double used = process_ticks(t->server) - before[i];
		size_t j = 0;

		for (j = 0; j < t->slices; j++) {
			t->used[j] = used / ticks / (double)t->slices;
		}
	}
}

/* What /proc says of the memory of a connection's process, in KiB. */
static void print_memory(struct target *t, const struct options *o)
{
	unsigned long rss = 0, pss = 0, private = 0, value = 0;
	char path[64] = "", line[128] = "", name[32] = "";
	FILE *in = NULL;

	open_connection(t, o);
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup",
		 (int)new_child(t));
	in = fopen(path, "re");
	if (in == NULL) {
		err(3, "%s", path);
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		if (sscanf(line, "%31[^:]: %lu kB", name, &value) != 2) {
			continue;
		}
		if (strcmp(name, "Rss") == 0) {
			rss = value;
		} else if (strcmp(name, "Pss") == 0) {
			pss = value;
		} else if (strcmp(name, "Private_Clean") == 0 ||
			   strcmp(name, "Private_Dirty") == 0) {
			private += value;
		}
	}
	fclose(in);
	close_connection(t);
	printf("rss %lu pss %lu private %lu\n", rss, pss, private);
}

static const struct load loads[] = {
	{ "sessions", load_sessions, NULL, false },
	{ "echo", load_requests, make_echo, false },
	{ "attributes", load_requests, make_attributes, true },
	{ "read", load_requests, make_read, true },
	{ "registry", load_requests, make_registry, true },
	{ "memory", NULL, NULL, false },
};

/* ---- command line ------------------------------------------------------ */

static void usage(FILE *out)
{
	fprintf(out,
		"usage: load [OPTION]... LOAD PORT,PID,USER [PORT,PID,USER]\n"
		"Loads the smbd on 127.0.0.1's PORT, whose first process is\n"
		"PID, or two in turn. A line for each: operations a second\n"
		"and seconds of CPU for one, the slices' medians, or memory\n"
		"in KiB.\n"
		"The passwords are in the environment's PASSWD and PASSWD2.\n"
		"LOAD: sessions, echo, attributes, read (SMB2), memory,\n"
		"registry (SMB2; with --share IPC$ --file winreg --depth 1)\n"
		"  --share NAME  the share (share)\n"
		"  --file NAME   a file in it of 1 MiB (bench.dat)\n"
		"  --smb2        SMB 3.1.1 rather than SMB1\n"
		"  --sign        sign every request\n"
		"  --count N     slices for each server (100)\n"
		"  --slice N     requests in a slice, sessions: always 1 (1)\n"
		"  --depth N     requests under way at once, 1 to %d (8)\n",
		DEPTH_MAX);
}

static unsigned number(const char *text, unsigned long most)
{
	char *end = NULL;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || value == 0 || value > most) {
		errx(2, "'%s' is not a number from 1 to %lu", text, most);
	}
	return (unsigned)value;
}

/* Takes PORT,PID,USER apart. */
static void parse_target(struct target *t, char *text, const char *variable,
			 size_t slices)
{
	char *pid = strchr(text, ',');
	char *user = pid == NULL ? NULL : strchr(pid + 1, ',');

	if (user == NULL) {
		errx(2, "'%s' is not PORT,PID,USER", text);
	}
	*pid++ = '\0';
	*user++ = '\0';
	t->port = (uint16_t)number(text, 65535);
	t->server = (pid_t)number(pid, 1UL << 22);
	t->user = user;
	t->password = getenv(variable);
	if (t->password == NULL) {
		errx(2, "no %s in the environment", variable);
	}
	t->children = list_children(t->server, t->before);
	t->wall = calloc(slices, sizeof(t->wall[0]));
	t->used = calloc(slices, sizeof(t->used[0]));
	if (t->wall == NULL || t->used == NULL) {
		err(3, "calloc");
	}
}

static const struct load *find_load(const char *name, bool smb2)
{
	size_t i = 0;

	for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		if (strcmp(loads[i].name, name) != 0) {
			continue;
		}
		if ((loads[i].make == make_read ||
		     loads[i].make == make_registry) && !smb2) {
			errx(2, "%s needs --smb2", name);
		}
		return &loads[i];
	}
	errx(2, "there is no load '%s'", name);
}

static void parse_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "share", required_argument, NULL, 'S' },
		{ "file", required_argument, NULL, 'f' },
		{ "smb2", no_argument, NULL, '2' },
		{ "sign", no_argument, NULL, 'g' },
		{ "count", required_argument, NULL, 'c' },
		{ "slice", required_argument, NULL, 's' },
		{ "depth", required_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const char *share = "share";
	int option = 0;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 'S':
			share = optarg;
			break;
		case 'f':
			o->file = optarg;
			break;
		case '2':
			o->smb2 = true;
			break;
		case 'g':
			o->sign = true;
			break;
		case 'c':
			o->count = number(optarg, 1000000);
			break;
		case 's':
			o->slice = number(optarg, 1000000);
			break;
		case 'd':
			o->depth = number(optarg, DEPTH_MAX);
			break;
		case 'h':
			usage(stdout);
			exit(0);
		default:
			usage(stderr);
			exit(2);
		}
	}
	snprintf(o->share, sizeof(o->share), "\\\\127.0.0.1\\%s", share);
}

int main(int argc, char **argv)
{
	static struct target targets[TARGETS_MAX];
	struct options o = {
		.file = "bench.dat",
		.count = 100,
		.slice = 1,
		.depth = 8,
	};
	const struct load *load = NULL;
	size_t count = 0, i = 0;

	parse_options(&o, argc, argv);
	if (argc - optind < 2 || argc - optind > 3) {
		usage(stderr);
		return 2;
	}
	load = find_load(argv[optind++], o.smb2);
	for (count = 0; optind < argc; count++) {
		parse_target(&targets[count], argv[optind++],
			     count == 0 ? "PASSWD" : "PASSWD2", o.count);
	}
	/* MD4 is in the legacy provider; naming one ends the default's rule. */
	if (OSSL_PROVIDER_load(NULL, "legacy") == NULL ||
	    OSSL_PROVIDER_load(NULL, "default") == NULL) {
		errx(3, "OpenSSL has no legacy provider, needed for MD4");
	}
	if (load->run == NULL) {
		for (i = 0; i < count; i++) {
			print_memory(&targets[i], &o);
		}
	} else {
		load->run(targets, count, &o, load);
		for (i = 0; i < count; i++) {
			struct target *t = &targets[i];

			printf("rate %.3f cpu %.9f\n",
			       o.slice / median(t->wall, t->slices),
			       median(t->used, t->slices) / o.slice);
		}
	}
	for (i = 0; i < count; i++) {
		free(targets[i].connection.answer);
		free(targets[i].wall);
		free(targets[i].used);
	}
	return 0;
}
