/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests the turns of Q192749 on a clock of the test's own, and the digest of
 * certificates in files good and bad.
 *
 * Invariant: after every step the turns are in their order and do not
 * overlap.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "ntsign/certificate.h"
#include "ntsign/credential.h"
#include "failing_malloc.h"

#define ROOM 300

#define FAILED NTSIGN_CREDENTIAL_FAILED
#define WAITS NTSIGN_CREDENTIAL_WAITS
#define HOLDS NTSIGN_CREDENTIAL_HOLDS
#define OVER NTSIGN_CREDENTIAL_OVER

enum event { BEGIN, LOOK, END, DIED };

struct step {
	enum event event;
	uint64_t who;		/* pid, and ticket 7 */
	int64_t now;
	enum ntsign_credential_state state;
	int64_t start;		/* of its turn, unless FAILED or OVER */
};

struct table {
	const char *name;
	enum ntsign_quirk quirk;
	int64_t hold;
	struct step steps[12];
};

static const struct table tables[] = {
	{ "fix: one behind the other", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 105, WAITS, 120 },
		{ BEGIN, 3, 119, WAITS, 140 }, { LOOK, 1, 119, HOLDS, 100 },
		{ LOOK, 1, 120, OVER, 0 }, { LOOK, 2, 120, HOLDS, 120 },
		{ LOOK, 3, 120, WAITS, 140 }, { LOOK, 3, 159, HOLDS, 140 },
		{ LOOK, 2, 159, OVER, 0 }, { BEGIN, 1, 160, HOLDS, 160 } } },
	{ "fix: undisturbed", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 120, HOLDS, 120 },
		{ BEGIN, 3, 141, HOLDS, 141 } } },
	{ "fix: one that holds ends early", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 100, WAITS, 120 },
		{ BEGIN, 3, 100, WAITS, 140 }, { END, 1, 105, OVER, 0 },
		{ LOOK, 2, 105, HOLDS, 105 },
		{ LOOK, 3, 105, WAITS, 125 } } },
	{ "fix: one that waits ends early", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 100, WAITS, 120 },
		{ BEGIN, 3, 100, WAITS, 140 }, { END, 2, 105, OVER, 0 },
		{ LOOK, 1, 105, HOLDS, 100 },
		{ LOOK, 3, 105, WAITS, 120 } } },
	{ "fix: the one that holds dies", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 100, WAITS, 120 },
		{ BEGIN, 3, 100, WAITS, 140 }, { DIED, 1, 103, OVER, 0 },
		{ LOOK, 2, 103, HOLDS, 103 }, { DIED, 2, 104, OVER, 0 },
		{ LOOK, 3, 104, HOLDS, 104 }, { DIED, 3, 105, OVER, 0 },
		{ DIED, 3, 105, OVER, 0 } } },
	{ "fix: one that is over ends", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 100, WAITS, 120 },
		{ END, 1, 125, OVER, 0 }, { LOOK, 2, 125, HOLDS, 120 } } },
	{ "fix: the clock goes back", NTSIGN_QUIRK_FIX, 20, {
		{ BEGIN, 1, 1000, HOLDS, 1000 },
		{ BEGIN, 2, 1001, WAITS, 1020 }, { LOOK, 2, 10, WAITS, 30 },
		{ LOOK, 1, 10, HOLDS, 10 } } },
	{ "emulate: the later one fails", NTSIGN_QUIRK_EMULATE, 20, {
		{ BEGIN, 1, 100, HOLDS, 100 }, { BEGIN, 2, 100, FAILED, 0 },
		{ BEGIN, 2, 119, FAILED, 0 }, { LOOK, 1, 119, HOLDS, 100 },
		{ LOOK, 2, 119, OVER, 0 }, { BEGIN, 2, 120, HOLDS, 120 },
		{ DIED, 2, 121, OVER, 0 }, { BEGIN, 3, 121, HOLDS, 121 } } },
	{ "no hold disturbs nobody", NTSIGN_QUIRK_EMULATE, 0, {
		{ BEGIN, 1, 100, OVER, 0 }, { BEGIN, 2, 100, OVER, 0 } } },
};

static void check_order(const struct ntsign_credential_queue *queue)
{
	size_t i = 0;

	for (i = 1; i < queue->count; i++) {
		assert_true(queue->turns[i - 1].end ==
			    queue->turns[i].start);
	}
}

static struct ntsign_credential_turn turn_of(uint64_t who)
{
	struct ntsign_credential_turn turn = {
		.owner = { .pid = who, .unique = 5, .node = 1 },
		.ticket = 7,
	};

	return turn;
}

static void play(struct ntsign_credential_queue *queue,
		 const struct table *table, const struct step *step)
{
	struct ntsign_credential_turn turn = turn_of(step->who);
	enum ntsign_credential_state state = OVER;
	size_t ahead = 0;

	ntsign_credential_settle(queue, step->now);
	switch (step->event) {
	case BEGIN:
		state = ntsign_credential_begin(queue, table->quirk, &turn,
						step->now, table->hold);
		break;
	case LOOK:
		state = ntsign_credential_look(queue, &turn, step->now,
					       &ahead);
		break;
	case END:
		ntsign_credential_end(queue, &turn, step->now);
		break;
	case DIED:
		ntsign_credential_died(queue, step->now);
		break;
	}
	check_order(queue);
	assert_int_equal(state, step->state);
	if (state == WAITS || state == HOLDS) {
		assert_int_equal(turn.start, step->start);
		assert_int_equal(turn.end, step->start + table->hold);
	}
}

static void test_tables(void **state)
{
	size_t i = 0;

	(void)state;
	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		struct ntsign_credential_turn turns[ROOM];
		struct ntsign_credential_queue queue = { .turns = turns };
		const struct step *step = tables[i].steps;

		print_message("%s\n", tables[i].name);
		for (; step->now != 0; step++) {
			play(&queue, &tables[i], step);
		}
	}
}

/* Two hundred at once take what their holds add up to. */
static void test_many(void **state)
{
	struct ntsign_credential_turn turns[ROOM];
	struct ntsign_credential_queue queue = { .turns = turns };
	struct ntsign_credential_turn turn = turn_of(0);
	size_t ahead = 0;
	uint64_t i = 0;

	(void)state;
	for (i = 0; i < 200; i++) {
		turn = turn_of(i);
		ntsign_credential_begin(&queue, NTSIGN_QUIRK_FIX, &turn, 1000,
					20000);
	}
	check_order(&queue);
	assert_int_equal(turn.end, 1000 + 200 * 20000);
	assert_int_equal(ntsign_credential_look(&queue, &turn, 1000, &ahead),
			 WAITS);
	assert_int_equal(ahead, 199);
	/* the same process's next, and another one with its pid, are others */
	turn.ticket++;
	assert_int_equal(ntsign_credential_look(&queue, &turn, 1000, &ahead),
			 OVER);
	turn = turn_of(199);
	turn.owner.unique++;
	assert_int_equal(ntsign_credential_look(&queue, &turn, 1000, &ahead),
			 OVER);
	turn = turn_of(199);
	turn.owner.node++;
	assert_int_equal(ntsign_credential_look(&queue, &turn, 1000, &ahead),
			 OVER);
	turn = turn_of(199);
	turn.owner.task++;
	ntsign_credential_end(&queue, &turn, 1000);
	assert_int_equal(queue.count, 200);
	ntsign_credential_settle(&queue, 1000 + 200 * 20000);
	assert_int_equal(queue.count, 0);
}

static void test_next_look(void **state)
{
	struct ntsign_credential_turn turn = { .start = 0, .end = 9000000 };

	(void)state;
	/* nobody in front who could die */
	assert_int_equal(ntsign_credential_next_look(&turn, 0, 0), 9000000);
	assert_int_equal(ntsign_credential_next_look(&turn, 1, 0), 252500);
	assert_int_equal(ntsign_credential_next_look(&turn, 100, 0), 500000);
	assert_int_equal(ntsign_credential_next_look(&turn, 3, 8999999), 1);
	assert_int_equal(ntsign_credential_next_look(&turn, 3, 9000001), 0);
}

/* ---- the certificate ---- */

/* Ed25519, for CN=ntsign; its digest was computed by other means. */
static const char pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBJTCB2KADAgECAgEBMAUGAytlcDARMQ8wDQYDVQQDDAZudHNpZ24wIBcNMjYx\n"
	"MTIxMDIxNzUzWhgPMjEyNjEwMjgwMjE3NTNaMBExDzANBgNVBAMMBm50c2lnbjAq\n"
	"MAUGAytlcAMhAI74CKE7M6nAXOe3A+TPsjwSRRmIETQFTAXsGn4O/v6bo1MwUTAd\n"
	"BgNVHQ4EFgQUXL9/Gd01iNna8paq0CDkniA4sR4wHwYDVR0jBBgwFoAUXL9/Gd01\n"
	"iNna8paq0CDkniA4sR4wDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQCE64GP8t6s\n"
	"6vnC1gCQdNPlrqNyK2jHz+mdP8TcL29iPbgpYpnwrR7mirsaf2qAbjIO+kOwSgob\n"
	"EuyvR13OB1kP\n"
	"-----END CERTIFICATE-----\n";
static const uint8_t pem_digest[] = {
	0x14, 0xdb, 0x8a, 0xc7, 0xf0, 0x23, 0xa2, 0x19,
	0xc4, 0xea, 0xe7, 0xdf, 0x89, 0xae, 0xbb, 0xf8,
	0x05, 0x4f, 0x84, 0x09, 0xe3, 0x91, 0x44, 0xa8,
	0x83, 0x75, 0x9b, 0x4c, 0x85, 0x7d, 0xa6, 0x91,
};

static const char key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
	"-----END PRIVATE KEY-----\n";

static const char damaged[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
	"-----END CERTIFICATE-----\n";

static const char encrypted[] =
	"-----BEGIN CERTIFICATE-----\n"
	"Proc-Type: 4,ENCRYPTED\n"
	"DEK-Info: AES-128-CBC,000102030405060708090A0B0C0D0E0F\n"
	"\n"
	"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
	"-----END CERTIFICATE-----\n";

#define NO_PEM "it has no certificate in PEM form, or a damaged one"

static const struct {
	const char *parts[3];
	const char *why;		/* NULL: it has that digest */
} files[] = {
	{ { pem }, NULL },
	{ { key, pem }, NULL },
	{ { "Bag attributes\n", pem, damaged }, NULL },
	{ { "" }, NO_PEM },
	{ { key }, NO_PEM },
	{ { damaged, pem }, NO_PEM },
	{ { encrypted }, NO_PEM },
	{ { "-----BEGIN CERTIFICATE-----\n" }, NO_PEM },
};

static void check_file(const char *path, const char *why)
{
	uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN] = { 0 };
	const char *said = NULL;
	bool ok = ntsign_certificate_digest(path, digest, &said);

	assert_true(ok == (why == NULL));
	if (why == NULL) {
		assert_memory_equal(digest, pem_digest, sizeof(digest));
	} else {
		assert_string_equal(said, why);
	}
}

static void test_files(void **state)
{
	char path[] = "/tmp/ntsign-test-XXXXXX";
	int fd = mkstemp(path);
	size_t i = 0;

	(void)state;
	assert_true(fd != -1);
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t part = 0;

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		for (; part < 3 && files[i].parts[part] != NULL; part++) {
			const char *text = files[i].parts[part];

			assert_int_equal(write(fd, text, strlen(text)),
					 strlen(text));
		}
		check_file(path, files[i].why);
	}
	assert_int_equal(ftruncate(fd, 2 * 1024 * 1024), 0);
	check_file(path, "it is larger than any certificate");
	close(fd);
	unlink(path);
	check_file(path, strerror(ENOENT));
	check_file("/tmp", "it is not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	check_file(path, "it is not a regular file");
	unlink(path);
}

/* Whatever cannot be had, it says so, or has the right digest. */
static void test_no_memory(void **state)
{
	char path[] = "/tmp/ntsign-test-XXXXXX";
	int fd = mkstemp(path);
	size_t failures = 0;
	size_t n = 0;
	bool failed = true;

	(void)state;
	if (!FAILING_MALLOC_WORKS) {
		close(fd);
		unlink(path);
		skip();
	}
	assert_int_equal(write(fd, pem, sizeof(pem) - 1), sizeof(pem) - 1);
	close(fd);
	/* what OpenSSL sets up once is set up without a failure */
	check_file(path, NULL);
	for (n = 0; failed; n++) {
		uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN] = { 0 };
		const char *why = NULL;
		bool ok = false;

		failing_malloc_arm(n);
		ok = ntsign_certificate_digest(path, digest, &why);
		failed = failing_malloc_disarm();
		if (ok) {
			assert_memory_equal(digest, pem_digest,
					    sizeof(digest));
		} else {
			assert_true(failed);
			assert_non_null(why);
			failures++;
		}
	}
	assert_true(failures > 5);
	unlink(path);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_next_look),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
