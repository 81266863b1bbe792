/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * records: writes audit records as the module writes them, of as many clients
 * as are asked for, to standard output.
 *
 * Invariant: the same arguments give the same bytes, on every machine.
 *
 *   records [--seed N] [--clients N] [--days N] [--dirty N] COUNT
 *
 * --days: the days that the records are spread over, from 2026-01-01 on.
 * --dirty: every so many lines one that is no record.
 */
#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROOM 8192		/* more than a line takes */
#define BUFFER (1 << 20)
#define ACCOUNTS_PER_CLIENT 3

struct options {
	uint64_t seed, count, clients, days, dirty;
};

struct out {
	char *buffer;
	size_t used;
	char day[32];		/* of the last time that was written */
	int64_t second;		/* that `day` is of */
};

/* Sebastiano Vigna's splitmix64: one multiplication a number would do, but
 * neighbouring seeds have to differ. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = (*state += 0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
	return z ^ (z >> 31);
}

static void flush(struct out *out)
{
	size_t done = 0;

	while (done < out->used) {
		ssize_t n = write(STDOUT_FILENO, out->buffer + done,
				  out->used - done);

		if (n == -1) {
			err(3, "standard output");
		}
		done += (size_t)n;
	}
	out->used = 0;
}

static void put(struct out *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out->buffer + out->used, text, len);
	out->used += len;
}

static void put_number(struct out *out, uint64_t number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	memcpy(out->buffer + out->used, digits + at, sizeof(digits) - at);
	out->used += sizeof(digits) - at;
}

static void put_fixed(struct out *out, uint64_t number, size_t digits)
{
	size_t i;

	for (i = digits; i > 0; i--, number /= 10) {
		out->buffer[out->used + i - 1] = (char)('0' + number % 10);
	}
	out->used += digits;
}

static void put_hex(struct out *out, uint64_t number)
{
	static const char hex[] = "0123456789abcdef";
	size_t i;

	for (i = 16; i > 0; i--, number >>= 4) {
		out->buffer[out->used + i - 1] = hex[number & 15];
	}
	out->used += 16;
}

static void put_time(struct out *out, int64_t microseconds)
{
	int64_t second = microseconds / 1000000;

	if (second != out->second) {
		time_t t = (time_t)second;
		struct tm tm = { .tm_sec = 0 };

		(void)gmtime_r(&t, &tm);
		(void)strftime(out->day, sizeof(out->day),
			       "%Y-%m-%dT%H:%M:%S.", &tm);
		out->second = second;
	}
	put(out, out->day);
	put_fixed(out, (uint64_t)(microseconds % 1000000), 6);
	put(out, "+0000");
}

/* What a client is, by its number: the same in all of its records. */
struct client {
	uint64_t number;
	bool smb2, patched, keyless;
	const char *dialect, *setup, *signing, *native_os;
};

static struct client client_of(uint64_t number)
{
	static const char *const dialects[] = {
		"SMB2_02", "SMB2_10", "SMB3_00", "SMB3_02", "SMB3_11",
		"SMB3_11", "SMB3_11",
	};
	static const char *const systems[] = {
		"Windows NT 1381", "Windows 2000 2195", "Windows 2002 2600",
		"Unix", "Mac OS X 10.6", "VxWorks 5.4.2",
	};
	static const char *const states[] = {
		"required", "enabled", "disabled",
	};
	uint64_t state = number * 2 + 1;
	uint64_t dice = next(&state);
	struct client c = { .number = number };

	c.smb2 = dice % 10 >= 2;
	dice >>= 8;
	c.patched = c.smb2 || dice % 3 != 0;
	dice >>= 8;
	c.keyless = dice % 40 == 0;
	dice >>= 8;
	c.dialect = c.smb2 ? dialects[dice % 7] : "NT1";
	dice >>= 8;
	c.setup = c.keyless ? "anonymous" :
		  c.smb2 ? (dice % 2 ? "kerberos" : "ntlmssp") :
			   (dice % 3 ? "ntlmssp" : "nt4");
	dice >>= 8;
	c.signing = states[c.smb2 ? (dice % 4 ? 1 : 0) : dice % 3];
	dice >>= 8;
	c.native_os = c.smb2 ? NULL : systems[dice % 6];
	return c;
}

static void put_address(struct out *out, uint64_t number)
{
	if (number % 16 == 7) {
		put(out, "ipv6:2001:db8:0:1::");
		put_hex(out, number);
		out->used -= 16;
		memmove(out->buffer + out->used, out->buffer + out->used + 12,
			4);
		out->used += 4;
		put(out, ":");
		/* the upper half, so that all differ */
		memmove(out->buffer + out->used, "0", 1);
		out->used += 1;
		put_number(out, number / 65536);
	} else {
		put(out, "ipv4:10.");
		put_number(out, number >> 16 & 255);
		put(out, ".");
		put_number(out, number >> 8 & 255);
		put(out, ".");
		put_number(out, number & 255);
	}
	put(out, ":");
	put_number(out, 49152 + number % 16384);
}

static void put_start(struct out *out, const char *type, int64_t time,
		      const struct client *c, uint64_t connection)
{
	put(out, "{\"timestamp\":\"");
	put_time(out, time);
	put(out, "\",\"type\":\"");
	put(out, type);
	put(out, "\",\"");
	put(out, type);
	put(out, "\":{\"version\":{\"major\":1,\"minor\":0},"
	    "\"connectionId\":\"");
	put_hex(out, connection);
	put(out, "\",\"pid\":");
	put_number(out, 1000 + connection % 30000);
	put(out, ",\"localAddress\":\"ipv4:192.0.2.1:445\","
	    "\"remoteAddress\":\"");
	put_address(out, c->number);
	put(out, "\"");
}

static void put_account(struct out *out, const struct client *c,
			uint64_t which)
{
	put(out, "user");
	put_number(out, c->number * ACCOUNTS_PER_CLIENT / 2 + which % 2);
}

static void put_party(struct out *out, const char *name, bool patched,
		      const char *signing)
{
	put(out, ",\"");
	put(out, name);
	put(out, patched ? "\":{\"patched\":true,\"signing\":\"" :
			   "\":{\"patched\":false,\"signing\":\"");
	put(out, signing);
	put(out, "\"}");
}

/* What a session setup came to. */
struct result {
	const char *server, *expected, *outcome, *mismatch, *status;
	bool refused;
};

static struct result result_of(const struct client *c, uint64_t dice)
{
	bool required = dice % 4 == 0;
	bool client_required = c->signing[0] == 'r';
	bool disabled = c->signing[0] == 'd';
	bool sign = c->smb2 ? required || client_required :
		    disabled ? required && c->patched : true;
	struct result r = {
		.server = required ? "required" : "enabled",
		.mismatch = "none",
		.status = "NT_STATUS_OK",
	};

	r.expected = sign ? "signed" : "not_signed";
	r.outcome = r.expected;
	if (disabled && required && !c->patched) {
		r.expected = "no_communication";
		r.outcome = "no_communication";
		r.mismatch = "settings";
		r.status = "NT_STATUS_ACCESS_DENIED";
		r.refused = true;
	} else if (dice / 4 % 20 == 0) {
		r.outcome = "no_communication";
		r.status = "NT_STATUS_LOGON_FAILURE";
	} else if (sign && (c->keyless || c->setup[2] == '4')) {
		r.outcome = "not_signed";
		r.mismatch = "outcome";
	}
	return r;
}

static void put_session(struct out *out, int64_t time, const struct client *c,
			uint64_t connection, uint64_t dice)
{
	struct result r = result_of(c, dice);

	put_start(out, "SMBSession", time, c, connection);
	put(out, ",\"windowsEventId\":3000,\"dialect\":\"");
	put(out, c->dialect);
	put(out, "\",\"setup\":\"");
	put(out, c->setup);
	put(out, "\",\"status\":\"");
	put(out, r.status);
	put(out, "\",\"account\":\"");
	if (!c->keyless) {
		put_account(out, c, dice);
	}
	put(out, "\",\"domain\":\"EXAMPLE\",\"workstation\":\"WS");
	put_number(out, c->number);
	put(out, "\",\"nativeOs\":");
	if (c->native_os != NULL) {
		put(out, "\"");
		put(out, c->native_os);
		put(out, "\"");
	} else {
		put(out, "null");
	}
	put_party(out, "client", c->patched, c->signing);
	put_party(out, "server", true, r.server);
	put(out, ",\"expected\":\"");
	put(out, r.expected);
	put(out, "\",\"outcome\":\"");
	put(out, r.outcome);
	put(out, "\",\"mismatch\":\"");
	put(out, r.mismatch);
	put(out, r.refused ? "\",\"refused\":true,\"reason\":\"the client "
			     "does not sign\"" : "\",\"refused\":false");
	put(out, ",\"article\":\"KB916846\",\"anonymous\":");
	put(out, c->keyless ? "true" : "false");
	put(out, ",\"guest\":false,\"encrypted\":false,\"sessionId\":\"0x");
	put_hex(out, dice);
	put(out, "\",\"reauthentication\":false,\"binding\":false,"
	    "\"spnego\":true");
	if (!c->smb2) {
		put(out, ",\"nativeLanMan\":\"LAN Manager\",\"flags2\":"
		    "\"0xC853\"");
	} else {
		put(out, ",\"securityMode\":1");
	}
	if (c->setup[3] == 'm') {
		put(out, ",\"ntlmssp\":{\"negotiateFlags\":\"0xE2088297\","
		    "\"challengeFlags\":\"0xE28A8215\","
		    "\"authenticateFlags\":\"0xE2888215\",\"keyBits\":128,"
		    "\"ntlmVersion\":\"NTLMv2\"}");
	}
	put(out, "}}\n");
}

static void put_tree(struct out *out, int64_t time, const struct client *c,
		     uint64_t connection, uint64_t dice)
{
	put_start(out, "SMBTree", time, c, connection);
	put(out, ",\"event\":\"connected\",\"share\":\"projects\","
	    "\"account\":\"");
	put_account(out, c, dice);
	put(out, "\",\"dialect\":\"");
	put(out, c->dialect);
	put(out, "\",\"signed\":true,\"encrypted\":false}}\n");
}

static void put_signature(struct out *out, int64_t time,
			  const struct client *c, uint64_t connection,
			  uint64_t dice)
{
	put_start(out, "SMBSignature", time, c, connection);
	put(out, dice % 50 == 0 ? ",\"event\":\"bad\"" :
				  ",\"event\":\"verified\"");
	put(out, ",\"dialect\":\"");
	put(out, c->dialect);
	put(out, "\",\"account\":\"");
	put_account(out, c, dice);
	put(out, "\",\"command\":\"SMB2_TREE_CONNECT\",\"expected\":4}}\n");
}

static void put_connection(struct out *out, int64_t time,
			   const struct client *c, uint64_t connection,
			   uint64_t dice)
{
	put_start(out, "SMBConnection", time, c, connection);
	put(out, ",\"event\":\"negotiated\",\"dialect\":\"");
	put(out, c->dialect);
	put(out, "\",\"offered\":[\"NT LM 0.12\",\"SMB 2.002\","
	    "\"SMB 2.???\"],\"negotiateFlags2\":\"0xC853\"");
	put_party(out, "server", true, "enabled");
	put(out, "}}\n");
}

static void put_quirk(struct out *out, int64_t time, const struct client *c,
		      uint64_t connection, uint64_t dice)
{
	put_start(out, "SMBQuirk", time, c, connection);
	put(out, ",\"article\":\"Q275020\",\"event\":\"triggered\","
	    "\"dialect\":\"NT1\",\"account\":\"");
	put_account(out, c, dice);
	put(out, "\"}}\n");
}

static void put_record(struct out *out, int64_t time, uint64_t clients,
		       uint64_t *state)
{
	uint64_t dice = next(state);
	uint64_t connection = next(state);
	uint64_t part = dice % 1000;
	/* few clients have most of the sessions */
	uint64_t number = dice >> 32;
	struct client c;

	number = number % 4 == 0 ? number / 4 % clients :
				   number / 4 % (clients / 8 + 1);
	c = client_of(number);
	dice = connection >> 7;
	if (part < 450) {
		put_session(out, time, &c, connection, dice);
	} else if (part < 650) {
		put_tree(out, time, &c, connection, dice);
	} else if (part < 830) {
		put_signature(out, time, &c, connection, dice);
	} else if (part < 995) {
		put_connection(out, time, &c, connection, dice);
	} else {
		put_quirk(out, time, &c, connection, dice);
	}
}

/* Lines that are no records, each of another kind. */
static void put_dirt(struct out *out, uint64_t which)
{
	static const char *const lines[] = {
		"\n", "{\"timestamp\":\"2026-01-01T00:00:00Z\"\n", "[1,2]\n",
		"{\"timestamp\":\"2026-01-01T00:00:00Z\",\"type\":\"A\","
		"\"A\":{\"version\":{\"major\":2,\"minor\":0}}}\n",
		"{\"a\":1,\"a\":2}\n", "\xff\xfe\n", "{\"type\":\"A\"}\n",
	};

	if (which % 8 == 7) {
		put(out, "x");
		out->buffer[out->used++] = '\0';
		put(out, "\n");
		return;
	}
	put(out, lines[which % 8]);
}

static uint64_t read_number(const char *text)
{
	char *end = NULL;
	uint64_t number = strtoull(text, &end, 10);

	if (end == text || *end != '\0') {
		errx(2, "'%s' is no number", text);
	}
	return number;
}

static struct options read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "clients", required_argument, NULL, 'c' },
		{ "days", required_argument, NULL, 'd' },
		{ "dirty", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	struct options o = { .seed = 1, .clients = 1000, .days = 90 };
	int answer = 0;

	while ((answer = getopt_long(argc, argv, "", known, NULL)) != -1) {
		uint64_t *value = answer == 's' ? &o.seed :
				  answer == 'c' ? &o.clients :
				  answer == 'd' ? &o.days :
				  answer == 'x' ? &o.dirty : NULL;

		if (value == NULL) {
			exit(2);
		}
		*value = read_number(optarg);
	}
	if (argc - optind != 1 || o.clients == 0) {
		errx(2, "usage: records [--seed N] [--clients N] [--days N] "
		     "[--dirty N] COUNT");
	}
	o.count = read_number(argv[optind]);
	return o;
}

int main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct out out = { .buffer = malloc(BUFFER + ROOM), .second = -1 };
	uint64_t state = o.seed;
	int64_t start = INT64_C(1767225600) * 1000000;
	int64_t step = 0;
	uint64_t i;

	if (out.buffer == NULL) {
		err(3, "memory");
	}
	if (o.count > 0) {
		step = (int64_t)(o.days * 86400 * 1000000 / o.count);
	}
	for (i = 0; i < o.count; i++) {
		put_record(&out, start + (int64_t)i * step, o.clients, &state);
		if (o.dirty > 0 && i % o.dirty == 0) {
			put_dirt(&out, i / o.dirty);
		}
		if (out.used >= BUFFER) {
			flush(&out);
		}
	}
	flush(&out);
	free(out.buffer);
	return 0;
}
