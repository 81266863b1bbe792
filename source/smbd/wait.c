/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waiting for the rest of a frame of which a part has arrived, in the event
 * loop and not in a read.
 *
 * Invariant: nothing is taken from the socket here; whoever waits is woken up
 * by the socket, by its end, or by a timer.
 */
#include "module.h"

#include <netinet/tcp.h>
#include <sys/ioctl.h>

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

size_t ntsign_wait_peek(struct ntsign_connection *c, uint8_t *buffer,
			size_t want)
{
	ssize_t n;

	n = recv(c->xconn->transport.sock, buffer, want,
		 MSG_PEEK | MSG_DONTWAIT);
	return (n > 0) ? (size_t)n : 0;
}

/* The socket wakes smbd up when it holds this many bytes. */
static bool set_low_water(struct ntsign_connection *c, size_t bytes)
{
	int value = (int)bytes;

	if (bytes == c->wait.low_water) {
		return true;
	}
	if (setsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVLOWAT,
		       &value, sizeof(value)) != 0) {
		return false;
	}
	c->wait.low_water = bytes;
	return true;
}

/*
 * Has the socket wake smbd up when `full` bytes are there. The kernel takes a
 * lower mark where the socket's buffer is too small for them. Returns the
 * mark, 0 when there is none.
 */
static size_t wake_up_with(struct ntsign_connection *c, size_t full)
{
	int low = 0;
	socklen_t len = sizeof(low);

	if (!set_low_water(c, full) ||
	    getsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVLOWAT,
		       &low, &len) != 0) {
		return 0;
	}
	return (size_t)low;
}

/*
 * The same where less will not do. The window has to hold a whole frame that
 * nobody reads from, in small segments too, which take more room: the kernel
 * makes the buffer twice as large as the highest mark it was ever given. It
 * does not where `socket options` have fixed the size.
 */
static size_t wake_up_with_all(struct ntsign_connection *c, size_t full)
{
	int size = 2 * (int)full;

	if (c->wait.highest_mark < full) {
		c->wait.highest_mark = full;
		(void)set_low_water(c, 4 * full);
	}
	if (wake_up_with(c, full) < full &&
	    setsockopt(c->xconn->transport.sock, SOL_SOCKET, SO_RCVBUF, &size,
		       sizeof(size)) == 0) {
		c->wait.low_water = 0;
	}
	return wake_up_with(c, full);
}

/* A client that has closed its side sends no more. */
static bool client_gone(const struct ntsign_connection *c)
{
	struct tcp_info info = { .tcpi_state = 0, };
	socklen_t len = sizeof(info);

	return getsockopt(c->xconn->transport.sock, IPPROTO_TCP, TCP_INFO,
			  &info, &len) != 0 ||
		info.tcpi_state != TCP_ESTABLISHED;
}

/* How long a reader that was woken up for nothing keeps still, and how often
 * in a row: a minute. */
#define LOOK_AGAIN_MS 20
#define LOOK_AGAIN_MAX 3000

static struct tevent_fd *read_fde(const struct ntsign_connection *c)
{
	return (c->first_fde != NULL) ? c->first_fde :
		c->xconn->transport.fde;
}

static void look_again_now(struct tevent_context *ev, struct tevent_timer *te,
			   struct timeval now, void *private_data)
{
	struct ntsign_connection *c = talloc_get_type_abort(
		private_data, struct ntsign_connection);
	struct tevent_fd *fde = read_fde(c);

	TALLOC_FREE(c->wait.look_again);
	if (fde != NULL) {
		TEVENT_FD_READABLE(fde);
	}
}

/* Where a request must not get to smbd in part: looks for the rest of it
 * after a while. False when that cannot be. */
static bool look_again(struct ntsign_connection *c)
{
	struct tevent_fd *fde = read_fde(c);

	if (fde == NULL || client_gone(c) ||
	    c->wait.looked_again >= LOOK_AGAIN_MAX) {
		return false;
	}
	c->wait.looked_again++;
	c->wait.look_again = tevent_add_timer(
		c->xconn->client->raw_ev_ctx, c,
		timeval_current_ofs_msec(LOOK_AGAIN_MS), look_again_now, c);
	if (c->wait.look_again == NULL) {
		return false;
	}
	TEVENT_FD_NOT_READABLE(fde);
	return true;
}

enum ntsign_rest ntsign_wait_for_rest(struct ntsign_connection *c, size_t full)
{
	int available = 0;
	size_t have;
	size_t low;

	if (ioctl(c->xconn->transport.sock, FIONREAD, &available) != 0 ||
	    available < 0) {
		return NTSIGN_REST_NEVER;
	}
	have = (size_t)available;
	if (have >= full) {
		return NTSIGN_REST_THERE;
	}
	/*
	 * The kernel wakes a reader below its mark where memory is short, or
	 * the window is small. Woken up without a new byte smbd is let read,
	 * or where it must not, a look is taken later.
	 */
	if (c->wait.waiting && have <= c->wait.waited_with) {
		return (ntsign_enforcing() && look_again(c)) ?
			NTSIGN_REST_COMING : NTSIGN_REST_NEVER;
	}
	low = ntsign_enforcing() ? wake_up_with_all(c, full) :
				   wake_up_with(c, full);
	if (have >= low || client_gone(c)) {
		return NTSIGN_REST_NEVER;
	}
	c->wait.waiting = true;
	c->wait.waited_with = have;
	c->wait.looked_again = 0;
	return NTSIGN_REST_COMING;
}

void ntsign_wait_over(struct ntsign_connection *c)
{
	c->wait.waiting = false;
	(void)set_low_water(c, 1);
}

/*
 * The longest frames have to fit into the socket's window, whatever room
 * their segments take: nothing is read from it before all is there. Once
 * data is in it the kernel makes a window larger only as it is read.
 */
void ntsign_wait_room(struct ntsign_connection *c)
{
	int fd = c->xconn->transport.sock;
	int size = 8 * NTSIGN_FRAME_MAX;
	socklen_t len = sizeof(size);

	/* without CAP_NET_ADMIN as much as the machine allows everybody */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)) != 0) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size,
				 sizeof(size));
	}
	if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) != 0 ||
	    size < 2 * NTSIGN_FRAME_MAX) {
		DBG_ERR("ntsign: large requests may stall: the socket's "
			"buffer has %d bytes, see net.core.rmem_max\n", size);
	}
}
