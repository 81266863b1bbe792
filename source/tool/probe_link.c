/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The connection that the probe talks over.
 *
 * Invariant: the socket never blocks; poll() does, until a time that was
 * fixed when the call began.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "probe_link.h"

/* [RFC1002] 4.3.1 */
#define NBT_MESSAGE 0x00
#define NBT_KEEP_ALIVE 0x85

uint64_t ntsign_link_clock(void)
{
	struct timespec now = { .tv_sec = 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum ntsign_link_result failed(struct ntsign_link *link,
				      const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum ntsign_link_result failed(struct ntsign_link *link,
				      const char *format, ...)
{
	va_list ap;

	TALLOC_FREE(link->why);
	va_start(ap, format);
	link->why = talloc_vasprintf(link, format, ap);
	va_end(ap);
	return NTSIGN_LINK_FAILED;
}

/* Waits for an event on the socket; false when the time has come. */
static bool wait_for(int fd, short events, uint64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int ready = 0;

	do {
		uint64_t now = ntsign_link_clock();

		if (now >= deadline) {
			return false;
		}
		ready = poll(&pfd, 1, (int)(deadline - now));
	} while (ready == 0 || (ready == -1 && errno == EINTR));
	return ready == 1;
}

static enum ntsign_link_result timed_out(struct ntsign_link *link,
					 const char *what)
{
	return failed(link, "%s within %u seconds", what,
		      (link->timeout + 999) / 1000);
}

static bool is_closed(int error)
{
	return error == EPIPE || error == ECONNRESET ||
	       error == ECONNABORTED;
}

/* ---- connecting ---- */

static int link_destructor(struct ntsign_link *link)
{
	if (link->fd != -1) {
		close(link->fd);
	}
	return 0;
}

static void name_address(struct ntsign_link *link, const struct addrinfo *ai)
{
	if (getnameinfo(ai->ai_addr, ai->ai_addrlen, link->address,
			sizeof(link->address), NULL, 0,
			NI_NUMERICHOST) != 0) {
		link->address[0] = '\0';
	}
}

/* One address; returns 0 or an errno. */
static int try_address(struct ntsign_link *link, const struct addrinfo *ai)
{
	int one = 1;
	int error = 0;
	socklen_t size = sizeof(error);
	uint64_t deadline = ntsign_link_clock() + link->timeout;

	link->fd = socket(ai->ai_family,
			  ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			  ai->ai_protocol);
	if (link->fd == -1) {
		return errno;
	}
	if (connect(link->fd, ai->ai_addr, ai->ai_addrlen) == -1) {
		if (errno != EINPROGRESS) {
			error = errno;
		} else if (!wait_for(link->fd, POLLOUT, deadline)) {
			error = ETIMEDOUT;
		} else if (getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &error,
				      &size) == -1) {
			error = errno;
		}
	}
	if (error != 0) {
		close(link->fd);
		link->fd = -1;
		return error;
	}
	(void)setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &one,
			 sizeof(one));
	return 0;
}

/* Any of them; false: *why names each and what was wrong with it. */
static bool try_addresses(struct ntsign_link *link,
			  const struct addrinfo *list, char **why)
{
	const struct addrinfo *ai = NULL;
	char *all = talloc_strdup(link, "");

	for (ai = list; ai != NULL; ai = ai->ai_next) {
		int error = try_address(link, ai);

		name_address(link, ai);
		if (error == 0) {
			TALLOC_FREE(all);
			return true;
		}
		all = talloc_asprintf_append(
			all, "%s%s port %u: %s", ai == list ? "" : "; ",
			link->address, link->port, strerror(error));
	}
	*why = all;
	return false;
}

struct ntsign_link *ntsign_link_open(TALLOC_CTX *mem_ctx, const char *host,
				     uint16_t port, unsigned int timeout,
				     char **why)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	struct ntsign_link *link = talloc_zero(mem_ctx, struct ntsign_link);
	char service[8];
	int ret = 0;

	*why = NULL;
	if (link == NULL) {
		return NULL;
	}
	link->fd = -1;
	link->timeout = timeout;
	link->port = port;
	talloc_set_destructor(link, link_destructor);
	snprintf(service, sizeof(service), "%u", port);
	ret = getaddrinfo(host, service, &hints, &list);
	if (ret != 0) {
		*why = talloc_asprintf(mem_ctx, "%s: %s", host,
				       ret == EAI_SYSTEM ? strerror(errno) :
							   gai_strerror(ret));
		TALLOC_FREE(link);
		return NULL;
	}
	if (!try_addresses(link, list, why)) {
		*why = talloc_steal(mem_ctx, *why);
		TALLOC_FREE(link);
	}
	freeaddrinfo(list);
	return link;
}

/* ---- messages ---- */

enum ntsign_link_result ntsign_link_send(struct ntsign_link *link,
					 const uint8_t *data, size_t len)
{
	uint64_t deadline = ntsign_link_clock() + link->timeout;
	uint8_t head[4] = { NBT_MESSAGE, (uint8_t)(len >> 16),
			    (uint8_t)(len >> 8), (uint8_t)len };
	uint8_t *frame = talloc_array(link, uint8_t, len + sizeof(head));
	enum ntsign_link_result result = NTSIGN_LINK_OK;
	size_t sent = 0;

	if (frame == NULL) {
		return failed(link, "out of memory");
	}
	memcpy(frame, head, sizeof(head));
	memcpy(frame + sizeof(head), data, len);
	len += sizeof(head);
	while (sent < len && result == NTSIGN_LINK_OK) {
		ssize_t n = send(link->fd, frame + sent, len - sent,
				 MSG_NOSIGNAL);

		if (n >= 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN) {
			if (!wait_for(link->fd, POLLOUT, deadline)) {
				result = timed_out(link, "takes no request");
			}
		} else if (is_closed(errno)) {
			result = NTSIGN_LINK_CLOSED;
		} else if (errno != EINTR) {
			result = failed(link, "%s", strerror(errno));
		}
	}
	TALLOC_FREE(frame);
	return result;
}

/* Fills data. */
static enum ntsign_link_result receive_exactly(struct ntsign_link *link,
					       uint8_t *data, size_t len,
					       uint64_t deadline)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = 0;

		if (!wait_for(link->fd, POLLIN, deadline)) {
			return timed_out(link, have > 0 ?
						       "sends no whole answer" :
						       "sends no answer");
		}
		n = recv(link->fd, data + have, len - have, 0);
		if (n > 0) {
			have += (size_t)n;
		} else if (n == 0 || is_closed(errno)) {
			return NTSIGN_LINK_CLOSED;
		} else if (errno != EINTR && errno != EAGAIN) {
			return failed(link, "%s", strerror(errno));
		}
	}
	return NTSIGN_LINK_OK;
}

/* The head of the next packet that is a message; its length in *len. */
static enum ntsign_link_result receive_head(struct ntsign_link *link,
					    uint64_t deadline, size_t *len)
{
	uint8_t head[4] = { 0 };
	enum ntsign_link_result result = NTSIGN_LINK_OK;

	do {
		result = receive_exactly(link, head, sizeof(head), deadline);
		if (result != NTSIGN_LINK_OK) {
			return result;
		}
		*len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	} while (head[0] == NBT_KEEP_ALIVE && *len == 0);
	if (head[0] != NBT_MESSAGE) {
		return failed(link, "answers with something that is not SMB "
			      "(%02x %02x %02x %02x)", head[0], head[1],
			      head[2], head[3]);
	}
	if (*len > NTSIGN_LINK_MESSAGE_MAX) {
		return failed(link, "announces an answer of %zu bytes", *len);
	}
	return NTSIGN_LINK_OK;
}

enum ntsign_link_result ntsign_link_receive(struct ntsign_link *link,
					    TALLOC_CTX *mem_ctx,
					    uint8_t **data, size_t *len)
{
	uint64_t deadline = ntsign_link_clock() + link->timeout;
	size_t announced = 0;
	uint8_t *message = NULL;
	enum ntsign_link_result result = receive_head(link, deadline,
						      &announced);

	if (result != NTSIGN_LINK_OK) {
		return result;
	}
	message = talloc_array(mem_ctx, uint8_t, announced + 1);
	if (message == NULL) {
		return failed(link, "out of memory");
	}
	result = receive_exactly(link, message, announced, deadline);
	if (result != NTSIGN_LINK_OK) {
		TALLOC_FREE(message);
		return result;
	}
	*data = message;
	*len = announced;
	return NTSIGN_LINK_OK;
}
