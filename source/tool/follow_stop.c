/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Being ended by SIGINT or SIGTERM.
 *
 * Invariant: a handler only sets a flag.
 */
#include <signal.h>
#include <time.h>

#include "follow_stop.h"

static volatile sig_atomic_t stopped;
static sigset_t open_mask;

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

void ntsign_stop_catch(void)
{
	struct sigaction action = { .sa_handler = stop };
	sigset_t ours;

	sigemptyset(&action.sa_mask);
	sigemptyset(&ours);
	sigaddset(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigprocmask(SIG_BLOCK, &ours, &open_mask);
	sigdelset(&open_mask, SIGINT);
	sigdelset(&open_mask, SIGTERM);
}

bool ntsign_stop_asked(void)
{
	sigset_t pending;

	return stopped || (sigpending(&pending) == 0 &&
			   (sigismember(&pending, SIGINT) == 1 ||
			    sigismember(&pending, SIGTERM) == 1));
}

int ntsign_stop_poll(struct pollfd *fds, nfds_t count, long wait)
{
	struct timespec limit = { .tv_sec = 0 };

	if (!ntsign_stop_asked() && wait < 0) {
		return ppoll(fds, count, NULL, &open_mask);
	}
	if (!ntsign_stop_asked()) {
		limit.tv_sec = wait / 1000;
		limit.tv_nsec = wait % 1000 * 1000000;
	}
	return ppoll(fds, count, &limit, &open_mask);
}
