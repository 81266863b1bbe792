/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes the machine behind a pipe's tap and all it takes apart: a byte of
 * rules, one that says how large the writes are, and what a client writes.
 * Now and then a byte of it goes in as the server's, and the answers are read
 * or not.
 *
 * Invariant: no more goes on than came in, nothing does once the pipe has
 * ended, one that only observes does nothing but report, and neither reports
 * nor unread answers are without bound.
 */
#include <assert.h>

#include "ntsign/dcerpc.h"
#include "ntsign/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	size_t in, on;
	bool acts, ended;
	unsigned int unread, reports;
} seen;

static void forward(void *unused, const uint8_t *data, size_t len)
{
	seen.on += len;
	assert(seen.acts && !seen.ended && seen.on <= seen.in);
}

static void answer(void *unused, const uint8_t *data, size_t len)
{
	assert(seen.acts && !seen.ended && len == NTSIGN_DCERPC_FAULT_LEN);
	seen.unread++;
	assert(seen.unread <= NTSIGN_REGISTRY_UNREAD_MAX);
}

static void report(void *unused, const struct ntsign_registry_report *report)
{
	assert(report->reason != NULL);
	assert(!seen.ended || report->event == NTSIGN_REGISTRY_MORE);
	/* and one each of the other events, and an outage's */
	seen.reports++;
	assert(seen.reports <= NTSIGN_REGISTRY_REPORTS_MAX + 5);
}

static void end(void *unused, bool broken)
{
	assert(seen.acts && !seen.ended);
	seen.ended = true;
}

static const struct ntsign_registry_ops ops = {
	.forward = forward, .answer = answer, .report = report, .end = end,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t bits = size > 2 ? data[0] : 0;
	size_t step = size > 2 && data[1] != 0 ? data[1] : 65536;
	struct ntsign_registry_rules rules = {
		.winreg = !(bits & 1), .fix = bits & 2, .emulate = bits & 4,
		.authenticated = bits & 8, .mismatched = bits & 16,
	};
	struct ntsign_registry *machine = NULL;
	size_t pos;

	machine = ntsign_registry_new(NULL, &rules, &ops, NULL);
	assert(machine != NULL);
	seen.in = seen.on = 0;
	seen.unread = seen.reports = 0;
	seen.ended = false;
	seen.acts = ntsign_registry_acts(machine);
	for (pos = 2; pos < size; pos += step) {
		size_t n = size - pos < step ? size - pos : step;

		seen.in += n;
		ntsign_registry_request(machine, data + pos, n);
		if (bits & 32) {
			ntsign_registry_response(machine, data + pos, n);
		}
		for (; !(bits & 64) && seen.unread != 0; seen.unread--) {
			ntsign_registry_read(machine);
		}
	}
	ntsign_registry_close(machine);
	talloc_free(machine);
	return 0;
}
