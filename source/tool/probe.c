/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `ntsign probe`: plays client rows of the signing matrix against a server.
 *
 * Invariant: after the first row that could not be played no other one is
 * tried, so that a wrong password is tried once and not six times.
 */
#include "probe.h"
#include "tool.h"

bool ntsign_probe_differs(const struct ntsign_probe_row *row)
{
	return row->has_expected && row->expected != row->result->outcome;
}

/* The server does not speak SMB1: does it speak anything else? */
static void say_no_smb1(const struct ntsign_probe_options *options,
			const char *how)
{
	TALLOC_CTX *frame = talloc_new(NULL);
	uint16_t dialect = ntsign_smb2_best(frame, &options->server);

	if (dialect != 0) {
		ntsign_output_error("ntsign probe: %s speaks no SMB1 (%s); it "
				    "speaks %s, `ntsign probe --smb2 //%s -p "
				    "%u' tells more", options->server.host,
				    how, ntsign_smb2_name(dialect),
				    options->server.host,
				    options->server.port);
	} else {
		ntsign_output_error("ntsign probe: %s speaks no SMB1 (%s), "
				    "and no SMB2 either; a server with ntsign "
				    "that refuses everybody says why in its "
				    "log", options->server.host, how);
	}
	TALLOC_FREE(frame);
}

/* A row that could not be played. */
static int say_error(const struct ntsign_probe *probe,
		     const struct ntsign_play_result *result)
{
	const struct ntsign_probe_options *options = probe->options;

	if (options->verbose && !options->json) {
		ntsign_probe_text_messages(result);
		fflush(stdout);
	}
	if (result->no_smb1) {
		say_no_smb1(options, result->error);
	} else {
		ntsign_output_error("ntsign probe: %s: %s",
				    options->server.host, result->error);
	}
	return NTSIGN_EXIT_FAILED;
}

/* Plays one row and takes it into the probe. */
static int play_row(TALLOC_CTX *mem_ctx, struct ntsign_probe *probe,
		    struct ntsign_crypto *crypto, struct ntsign_party client,
		    enum ntsign_setup setup)
{
	const struct ntsign_probe_options *o = probe->options;
	struct ntsign_play_part part = {
		.server = &o->server, .account = &o->account,
		.crypto = crypto, .client = client, .setup = setup,
		.ntlmv1 = o->ntlmv1,
	};
	struct ntsign_probe_row *row = &probe->rows[probe->count];
	struct ntsign_play_result *result = ntsign_play(mem_ctx, &part);

	if (result == NULL) {
		ntsign_output_error("ntsign probe: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	if (result->error != NULL) {
		return say_error(probe, result);
	}
	row->client = client;
	row->setup = setup;
	row->has_expected = o->has_column;
	row->expected = ntsign_policy_expected(NTSIGN_FAMILY_SMB1, client,
					       o->column);
	row->result = result;
	probe->count++;
	probe->differences += ntsign_probe_differs(row) ? 1 : 0;
	if (!o->json) {
		ntsign_probe_text_row(probe);
	}
	return NTSIGN_EXIT_DONE;
}

/* All rows of one kind of session setup. */
static int play_rows(TALLOC_CTX *mem_ctx, struct ntsign_probe *probe,
		     struct ntsign_crypto *crypto, enum ntsign_setup setup)
{
	int result = NTSIGN_EXIT_DONE;
	unsigned int i;

	if (probe->options->mode == NTSIGN_PROBE_AS) {
		return play_row(mem_ctx, probe, crypto, probe->options->row,
				setup);
	}
	for (i = 0; i < NTSIGN_ROWS && result == NTSIGN_EXIT_DONE; i++) {
		result = play_row(mem_ctx, probe, crypto, ntsign_row_party(i),
				  setup);
	}
	return result;
}

static int play(TALLOC_CTX *mem_ctx, struct ntsign_probe *probe)
{
	uint64_t start = ntsign_link_clock();
	const char *why = NULL;
	struct ntsign_crypto *crypto = ntsign_crypto_new(mem_ctx, &why);
	int result = NTSIGN_EXIT_DONE;

	if (crypto == NULL) {
		ntsign_output_error("ntsign probe: %s", why);
		return NTSIGN_EXIT_FAILED;
	}
	if (probe->options->nt4) {
		result = play_rows(mem_ctx, probe, crypto, NTSIGN_SETUP_NT4);
	}
	if (probe->options->ntlmssp && result == NTSIGN_EXIT_DONE) {
		result = play_rows(mem_ctx, probe, crypto,
				   NTSIGN_SETUP_NTLMSSP);
	}
	probe->elapsed = ntsign_link_clock() - start;
	return result;
}

static int probe_smb1(TALLOC_CTX *mem_ctx,
		      const struct ntsign_probe_options *options)
{
	struct ntsign_probe *probe = talloc_zero(mem_ctx,
						 struct ntsign_probe);
	int result = NTSIGN_EXIT_FAILED;

	if (probe == NULL) {
		ntsign_output_error("ntsign probe: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	probe->options = options;
	result = play(probe, probe);
	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (!options->json) {
		ntsign_probe_text_end(probe);
	} else if (!ntsign_probe_json(probe)) {
		ntsign_output_error("ntsign probe: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	return probe->differences > 0 ? NTSIGN_EXIT_NO : NTSIGN_EXIT_DONE;
}

static int probe_smb2(TALLOC_CTX *mem_ctx,
		      const struct ntsign_probe_options *options)
{
	struct ntsign_smb2 *smb2 = ntsign_smb2_ask(mem_ctx,
						   &options->server);

	if (smb2 == NULL || smb2->error != NULL) {
		ntsign_output_error("ntsign probe: %s: %s",
				    options->server.host,
				    smb2 != NULL ? smb2->error :
						   "out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	if (!options->json) {
		ntsign_probe_text_smb2(options, smb2);
	} else if (!ntsign_probe_json_smb2(options, smb2)) {
		ntsign_output_error("ntsign probe: out of memory");
		return NTSIGN_EXIT_FAILED;
	}
	return NTSIGN_EXIT_DONE;
}

int ntsign_probe_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	struct ntsign_probe_options options = {
		.mode = NTSIGN_PROBE_NONE,
	};
	int result = ntsign_probe_options(mem_ctx, argc, argv, &options);

	if (result != NTSIGN_EXIT_DONE) {
		return result;
	}
	if (options.mode == NTSIGN_PROBE_SMB2) {
		return probe_smb2(mem_ctx, &options);
	}
	return probe_smb1(mem_ctx, &options);
}
