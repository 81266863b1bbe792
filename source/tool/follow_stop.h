/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Being ended by SIGINT or SIGTERM.
 *
 * Invariant: once caught, the signals come through only in
 * ntsign_stop_poll(), so that none is missed between a look and a wait.
 */
#ifndef NTSIGN_FOLLOW_STOP_H
#define NTSIGN_FOLLOW_STOP_H

#include <poll.h>
#include <stdbool.h>

void ntsign_stop_catch(void);
/* Whether one has come. */
bool ntsign_stop_asked(void);
/*
 * poll(), which a signal ends at once; milliseconds, -1 for ever. When one
 * has come already it does not wait at all.
 */
int ntsign_stop_poll(struct pollfd *fds, nfds_t count, long wait);

#endif
