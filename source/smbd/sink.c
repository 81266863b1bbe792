/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where records go: the audit file, and syslog or systemd's journal.
 *
 * Invariant: a record is one write(2) to a file opened with O_APPEND. Where
 * it would cross a page of the page cache, white space fills that page up
 * first, in the same write: the kernel looks for a fatal signal, and for
 * room, between two pages only, so that what is left of a write that was cut
 * short is white space in front of the next record, and never half a record.
 */
#include "module.h"

#include <paths.h>
#include <sys/un.h>
#include <syslog.h>

#include "ntsign/journal.h"

#undef DBGC_CLASS
#define DBGC_CLASS DBGC_AUTH

#define PAGE 4096

/* Who says it, in syslog and in the journal. */
#define IDENTIFIER "smbd"

struct ntsign_sink {
	char *path;
	int fd;
	dev_t dev;
	ino_t ino;
	bool regular;
	bool to_syslog;
	int log_fd;		/* a socket to the journal or _PATH_LOG; -1 */
	bool log_native;	/* it is the journal's */
	bool log_failing;
	/* the last attempt failed, and the log says so */
	bool failing;
	char buffer[NTSIGN_RECORD_MAX];
};

static int sink_destructor(struct ntsign_sink *sink)
{
	if (sink->fd != -1) {
		close(sink->fd);
		sink->fd = -1;
	}
	if (sink->log_fd != -1) {
		close(sink->log_fd);
		sink->log_fd = -1;
	}
	return 0;
}

/* Whether root has to be become, and then left again. */
static bool root_enter(void)
{
	if (geteuid() == 0) {
		return false;
	}
	become_root();
	return true;
}

static void root_leave(bool entered)
{
	if (entered) {
		unbecome_root();
	}
}

static void sink_fail(struct ntsign_sink *sink, const char *what, int error)
{
	if (!sink->failing) {
		DBG_ERR("ntsign: cannot write the audit file %s: %s: %s\n",
			sink->path, what, strerror(error));
	}
	sink->failing = true;
	errno = error;
}

static void sink_close(struct ntsign_sink *sink)
{
	if (sink->fd != -1) {
		close(sink->fd);
		sink->fd = -1;
	}
}

/* As root. */
static bool sink_reopen(struct ntsign_sink *sink)
{
	struct stat st = { .st_size = 0, };
	int fd = -1;

	sink_close(sink);
	if (sink->path[0] != '/') {
		/* it would be looked for in the share of the moment */
		sink_fail(sink, "not an absolute path", EINVAL);
		return false;
	}
	/* O_NONBLOCK: a FIFO in the way must not stop smbd. */
	fd = open(sink->path,
		  O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC|O_NOCTTY|O_NONBLOCK,
		  0600);
	if (fd == -1) {
		sink_fail(sink, "open", errno);
		return false;
	}
	if (fstat(fd, &st) != 0) {
		int error = errno;

		close(fd);
		sink_fail(sink, "fstat", error);
		return false;
	}
	if (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode) &&
	    !S_ISFIFO(st.st_mode)) {
		close(fd);
		sink_fail(sink, "neither a file nor a device", EINVAL);
		return false;
	}
	sink->fd = fd;
	sink->dev = st.st_dev;
	sink->ino = st.st_ino;
	sink->regular = S_ISREG(st.st_mode);
	return true;
}

/* Opens the file where it is not open or was renamed. As root. */
static bool sink_current(struct ntsign_sink *sink)
{
	struct stat st = { .st_size = 0, };

	if (sink->fd != -1 && stat(sink->path, &st) == 0 &&
	    st.st_dev == sink->dev && st.st_ino == sink->ino) {
		return true;
	}
	return sink_reopen(sink);
}

/* Room for one more record, where the file system can tell. */
static bool sink_reserve(struct ntsign_sink *sink)
{
	struct stat st = { .st_size = 0, };
	int ret;

	if (!sink->regular) {
		return true;
	}
	if (fstat(sink->fd, &st) != 0) {
		sink_fail(sink, "fstat", errno);
		return false;
	}
	ret = fallocate(sink->fd, FALLOC_FL_KEEP_SIZE, st.st_size,
			2 * NTSIGN_RECORD_MAX);
	if (ret != 0 && (errno == ENOSPC || errno == EDQUOT ||
			 errno == EFBIG || errno == EIO)) {
		sink_fail(sink, "no room", errno);
		return false;
	}
	return true;
}

struct ntsign_sink *ntsign_sink_open(TALLOC_CTX *mem_ctx,
				     const struct ntsign_options *options)
{
	struct ntsign_sink *sink = NULL;

	sink = talloc_zero(mem_ctx, struct ntsign_sink);
	if (sink == NULL) {
		return NULL;
	}
	sink->fd = -1;
	sink->log_fd = -1;
	sink->to_syslog = options->audit_syslog;
	sink->path = ntsign_config_audit_file(sink, options);
	if (sink->path == NULL) {
		TALLOC_FREE(sink);
		return NULL;
	}
	talloc_set_destructor(sink, sink_destructor);
	sink_reopen(sink);
	return sink;
}

bool ntsign_sink_ready(struct ntsign_sink *sink)
{
	bool entered = root_enter();
	bool ok;

	ok = sink_current(sink) && sink_reserve(sink);
	root_leave(entered);
	return ok;
}

/*
 * How much white space has to go in front of a line of `len` bytes, so that
 * it does not cross a page. The end of the file may have moved when the line
 * is written: then the line may cross a page after all, and is still whole
 * unless the process is killed at that very moment.
 */
static size_t sink_padding(struct ntsign_sink *sink, size_t len)
{
	struct stat st = { .st_size = 0, };
	size_t room;

	if (!sink->regular || fstat(sink->fd, &st) != 0) {
		return 0;
	}
	room = PAGE - (size_t)(st.st_size % PAGE);
	if (len <= room || room + len > sizeof(sink->buffer)) {
		return 0;
	}
	return room;
}

static bool sink_append(struct ntsign_sink *sink, const char *line, size_t len)
{
	size_t padding = sink_padding(sink, len);
	size_t total = padding + len;
	ssize_t written;
	int error;

	memset(sink->buffer, ' ', padding);
	memcpy(sink->buffer + padding, line, len);
	do {
		written = write(sink->fd, sink->buffer, total);
	} while (written == -1 && errno == EINTR);
	if (written == (ssize_t)total) {
		return true;
	}
	error = (written == -1) ? errno : ENOSPC;
	if (written > (ssize_t)padding) {
		/*
		 * Half a record, on a file system with blocks smaller than a
		 * page that is full now: at least no record shares its line.
		 */
		if (write(sink->fd, "\n", 1) != 1) {
			DBG_NOTICE("ntsign: %s ends in half a record\n",
				   sink->path);
		}
	}
	sink_fail(sink, "write", error);
	return false;
}

/* ---- syslog and the journal ---- */

static void syslog_disconnect(struct ntsign_sink *sink)
{
	int error = errno;

	close(sink->log_fd);
	sink->log_fd = -1;
	errno = error;
}

static bool syslog_connect_to(struct ntsign_sink *sink, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, };

	sink->log_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sink->log_fd == -1) {
		return false;
	}
	strlcpy(address.sun_path, path, sizeof(address.sun_path));
	if (connect(sink->log_fd, (struct sockaddr *)&address,
		    sizeof(address)) != 0) {
		syslog_disconnect(sink);
		return false;
	}
	return true;
}

/*
 * Where there is a journal, /dev/log is journald's as well, and its own socket
 * takes the fields with the line. What journald forwards to another daemon is
 * the line either way.
 */
static bool syslog_connect(struct ntsign_sink *sink)
{
	if (sink->log_fd != -1) {
		return true;
	}
	sink->log_native = syslog_connect_to(sink, NTSIGN_JOURNAL_SOCKET);
	return sink->log_native || syslog_connect_to(sink, _PATH_LOG);
}

/*
 * In place of syslog(3) and sd_journal_send(3), which wait for a logger that
 * does not read: here a client would wait.
 */
static bool syslog_send(struct ntsign_sink *sink, struct iovec *vector,
			size_t count)
{
	struct msghdr message = { .msg_iov = vector, .msg_iovlen = count, };

	if (sendmsg(sink->log_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) !=
	    -1) {
		return true;
	}
	if (errno != EAGAIN && errno != ENOBUFS) {
		/* a logger that was started anew has a new socket */
		syslog_disconnect(sink);
	}
	return false;
}

/* [RFC3164] 4.1, as the logger of this host expects it. */
static bool syslog_send_plain(struct ntsign_sink *sink, const char *line,
			      size_t len, int priority)
{
	char head[64];
	char date[32];
	time_t now = time(NULL);
	struct tm tm = { .tm_sec = 0, };
	struct iovec vector[2];

	if (localtime_r(&now, &tm) == NULL ||
	    strftime(date, sizeof(date), "%b %e %H:%M:%S", &tm) == 0) {
		return false;
	}
	snprintf(head, sizeof(head), "<%d>%s " IDENTIFIER "[%d]: ",
		 LOG_AUTH | priority, date, (int)getpid());
	vector[0] = (struct iovec) {
		.iov_base = head, .iov_len = strlen(head),
	};
	vector[1] = (struct iovec) {
		.iov_base = discard_const_p(char, line), .iov_len = len,
	};
	return syslog_send(sink, vector, ARRAY_SIZE(vector));
}

static void journal_int(struct ntsign_journal *entry, const char *name,
			int value)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%d", value);
	(void)ntsign_journal_add(entry, name, text, (size_t)len);
}

static bool syslog_send_native(struct ntsign_sink *sink,
			       const struct ntsign_record *record,
			       const char *line, size_t len, int priority)
{
	struct ntsign_journal entry;
	struct iovec vector;

	entry.len = 0;
	(void)ntsign_journal_add(&entry, "MESSAGE", line, len);
	journal_int(&entry, "PRIORITY", priority);
	journal_int(&entry, "SYSLOG_FACILITY", LOG_AUTH >> 3);
	(void)ntsign_journal_add(&entry, "SYSLOG_IDENTIFIER", IDENTIFIER,
				 sizeof(IDENTIFIER) - 1);
	journal_int(&entry, "SYSLOG_PID", getpid());
	ntsign_journal_record(&entry, record);
	vector = (struct iovec) {
		.iov_base = entry.data, .iov_len = entry.len,
	};
	return syslog_send(sink, &vector, 1);
}

static bool syslog_try(struct ntsign_sink *sink,
		       const struct ntsign_record *record, const char *line,
		       size_t len, int priority)
{
	if (!syslog_connect(sink)) {
		return false;
	}
	if (sink->log_native) {
		return syslog_send_native(sink, record, line, len, priority);
	}
	return syslog_send_plain(sink, line, len, priority);
}

static void syslog_write(struct ntsign_sink *sink,
			 const struct ntsign_record *record, const char *line,
			 size_t len, int priority)
{
	bool was_connected = (sink->log_fd != -1);
	bool ok = syslog_try(sink, record, line, len, priority);

	if (!ok && was_connected && sink->log_fd == -1) {
		ok = syslog_try(sink, record, line, len, priority);
	}
	if (!ok && !sink->log_failing) {
		/*
		 * Not an error's level: smbd sends those to the same logger,
		 * and waits for it.
		 */
		DBG_WARNING("ntsign: cannot write to syslog: %s\n",
			    strerror(errno));
	}
	sink->log_failing = !ok;
}

bool ntsign_sink_write(struct ntsign_sink *sink,
		       const struct ntsign_record *record, const char *line,
		       size_t len, bool warning)
{
	bool entered;
	bool ok = false;

	if (sink->to_syslog) {
		syslog_write(sink, record, line, len - 1,
			     warning ? LOG_WARNING : LOG_INFO);
	}
	if (len > sizeof(sink->buffer)) {
		return false;
	}
	entered = root_enter();
	ok = sink_current(sink) && sink_append(sink, line, len);
	root_leave(entered);
	if (ok && sink->failing) {
		DBG_ERR("ntsign: the audit file %s can be written again\n",
			sink->path);
		sink->failing = false;
	}
	return ok;
}
