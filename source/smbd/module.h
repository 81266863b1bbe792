/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the parts of the module share inside one smbd process.
 *
 * Invariant: per-connection state hangs below smbd's own connection object
 * and goes with it; `ntsign` itself lives as long as the process.
 */
#ifndef NTSIGN_MODULE_H
#define NTSIGN_MODULE_H

#include "compat.h"
#include "layout.h"

#include "ntsign/address.h"
#include "ntsign/counter.h"
#include "ntsign/mac.h"
#include "ntsign/ntlmssp.h"
#include "ntsign/option.h"
#include "ntsign/policy.h"
#include "ntsign/record.h"
#include "ntsign/smb1.h"
#include "ntsign/smb2.h"
#include "ntsign/text.h"

struct ntsign_sink;
struct ntsign_state;
struct ntsign_connection;
struct ntsign_session;
struct ntsign_handle;

/* The process: smbd serves one client in each. */
struct ntsign_module {
	struct ntsign_options *options;
	struct ntsign_option_findings findings;
	struct ntsign_sink *sink;
	struct ntsign_state *state;
	struct ntsign_handle *handle;	/* Q192749; NULL: off */
	/* `server signing` when the process began */
	enum ntsign_signing server_signing;
	/* smbd's connections that the module has state for */
	struct ntsign_connection *connections;
};
/* NULL until the preload half has taken part in this process. */
extern struct ntsign_module *ntsign;

/* ---- module.c ---- */

/* The mode as smbd knows it, before and without the options' review. */
bool ntsign_mode_is_audit(void);

/* ---- config.c ---- */

/*
 * Reads the ntsign: options of the loaded smb.conf into module->options and
 * logs every finding. False when memory runs out.
 */
bool ntsign_config_load(struct ntsign_module *module);

/*
 * Whether struct loadparm_global, which the options are read from, is where
 * the module's headers have it. It is static in smbd, so that nothing tells
 * its size; but what lies beside the options in it can be asked for.
 */
bool ntsign_config_fits(void);

/* The audit file's path with its % substitutions done; NULL when memory
 * runs out. */
char *ntsign_config_audit_file(TALLOC_CTX *mem_ctx,
			       const struct ntsign_options *options);

/* A value with its % substitutions done; NULL when memory runs out. */
char *ntsign_config_substitute(TALLOC_CTX *mem_ctx, const char *value);

/*
 * Adds to module->findings, and logs, that an option's value is bad. option:
 * without "ntsign:"; why: a text. False when memory runs out.
 */
bool ntsign_config_bad_value(struct ntsign_module *module, const char *option,
			     const char *value, const char *why);

/* ---- sink.c ---- */

/*
 * Opens the audit file (and keeps it open), as root. Always returns a sink
 * unless memory runs out: one that cannot write says so when it is used.
 */
struct ntsign_sink *ntsign_sink_open(TALLOC_CTX *mem_ctx,
				     const struct ntsign_options *options);

/*
 * Whether a record could be written now: the file is there (opened again
 * where it was renamed) and the file system has room for one more record.
 */
bool ntsign_sink_ready(struct ntsign_sink *sink);

/*
 * Appends a record's finished line (with its newline) in one write. Logs a
 * failure once, and the end of it. False when the line is not in the audit
 * file.
 */
bool ntsign_sink_write(struct ntsign_sink *sink,
		       const struct ntsign_record *record, const char *line,
		       size_t len, bool warning);

/* ---- state.c ---- */

/* Opens what smbd processes share, through dbwrap. NULL when that fails;
 * every function below does with a NULL state what keeps records coming. */
struct ntsign_state *ntsign_state_open(TALLOC_CTX *mem_ctx);

/* The database itself, or NULL. Names in it begin with what they are of. */
struct db_context *ntsign_state_db(struct ntsign_state *state);

/*
 * Whether `fingerprint` is new under `name`: the first process to ask gets
 * true, all others false until it changes.
 */
bool ntsign_state_changed(struct ntsign_state *state, const char *name,
			  const char *fingerprint);

/* Takes that back: the next to ask gets true again. */
void ntsign_state_forget(struct ntsign_state *state, const char *name);

/* Counts one record that could not be written. */
void ntsign_state_lost(struct ntsign_state *state);
/* How many there were, in every process; each is told of once. */
uint32_t ntsign_state_take_lost(struct ntsign_state *state);

/*
 * Counts one record from an address. Returns true when it may be written,
 * false when it is one too many in this second; then *first_suppressed says
 * whether it is the first of that address in this second.
 */
bool ntsign_state_admit(struct ntsign_state *state, const char *address,
			time_t now, bool *first_suppressed);

/* An address's records that were counted and not written. */
struct ntsign_suppressed {
	char *address;
	uint32_t count;
	time_t since;	/* the second they fell into */
};

/*
 * Takes the counts of every second before `now` out of the shared state:
 * each count is handed to one process only.
 */
struct ntsign_suppressed *ntsign_state_take_suppressed(
	TALLOC_CTX *mem_ctx, struct ntsign_state *state, time_t now,
	size_t *count);

/*
 * The emulated outage of Q264684, until `ntsign reset`: its scope, as the
 * option has it (static text), or NULL when there is none.
 */
const char *ntsign_state_outage(struct ntsign_state *state);
void ntsign_state_outage_begin(struct ntsign_state *state, const char *scope);

/* ---- audit.c ---- */

/* A record with the fields that all have. NULL when memory runs out. */
struct ntsign_record *ntsign_audit_start(const struct ntsign_connection *c,
					 enum ntsign_record_type type);

/*
 * Finishes, limits, writes and frees a record. `notable`: a mismatch, a
 * refusal or a quirk, which every level of `audit events` writes; else
 * `level` is the lowest that does.
 * False when a record that is due is not in the audit file.
 */
bool ntsign_audit_finish(const struct ntsign_connection *c,
			 struct ntsign_record *record, bool notable,
			 enum ntsign_events level);

/* The module's own records: started, emulating, configuration errors. */
void ntsign_audit_begin(const struct ntsign_connection *c);

/*
 * The end of a process: writes what was suppressed. The process that was the
 * first to suppress in a second stays until that second is over, so that
 * the count is whole; under a flood only, and at most one second.
 */
void ntsign_audit_end(const struct ntsign_connection *c);

/* Whether a session must be refused because there could be no record of it,
 * and the reason to give. */
bool ntsign_audit_refuses(void);
extern const char ntsign_audit_no_record[];

/*
 * A record could not be written. Under `on audit failure = refuse` the
 * connection is ended; otherwise nothing happens.
 */
void ntsign_audit_failed(struct ntsign_connection *c);

/* ---- enforce.c ---- */

/* Whether the module decides (enforce, emulate), or only observes. */
bool ntsign_enforcing(void);

/*
 * Puts smbd into its column for this client, before NEGOTIATE: the first of
 * `signing rules` that matches, else `server signing`.
 */
NTSTATUS ntsign_enforce_attach(struct ntsign_connection *c);
/* The same for a further channel, which has been negotiated: tells only
 * which column it should have been. */
void ntsign_enforce_channel(struct ntsign_connection *c);

/*
 * Decides on the SMB1 session setup request in c->setup, and puts smbd's
 * signing where that leads. message, len: what of it has arrived. setup:
 * where in it the request begins. False: it must be refused,
 * c->setup.refusal says why.
 */
bool ntsign_enforce_setup(struct ntsign_connection *c,
			  const struct ntsign_smb1_header *header,
			  const uint8_t *message, size_t len, size_t setup);

/*
 * Why a leg of extended security must be refused, or NULL. `c` is its
 * connection; NULL: it is not known.
 */
const char *ntsign_enforce_leg(const struct ntsign_connection *c);

/* The status that goes with one of these reasons. */
NTSTATUS ntsign_enforce_status(const char *refusal);

/*
 * Why a session that has been authenticated must not be had, or NULL.
 * level: SECURITY_ANONYMOUS and so on; has_key: whether it has a session key;
 * reauthentication: it stood before.
 */
const char *ntsign_enforce_session(const struct ntsign_connection *c,
				   enum security_user_level level,
				   bool has_key, bool reauthentication);

/* Why a tree must not be connected, or NULL. s: its session, or NULL. */
const char *ntsign_enforce_tree(const struct ntsign_connection *c,
				const struct ntsign_session *s);

/*
 * Takes a frame, all of which has arrived, from the socket and answers it
 * with an error; a client that does not know NTSTATUS is told that access is
 * denied. sequence: signs the answer with this number; 0: does not. message:
 * what of it is at hand, its header at least. len: all of the message's
 * bytes, without the transport header.
 */
void ntsign_enforce_answer(struct ntsign_connection *c,
			   const uint8_t *message, size_t len,
			   uint32_t sequence, NTSTATUS error);

/* ---- wait.c ---- */

/* Waiting for the rest of a frame. */
struct ntsign_wait {
	size_t low_water;		/* bytes; the socket's SO_RCVLOWAT */
	size_t highest_mark;		/* the longest frame waited for */
	bool waiting;			/* for the rest of a frame */
	size_t waited_with;		/* bytes that were there then */
	struct tevent_timer *look_again;	/* it was woken up for nothing */
	unsigned int looked_again;	/* so many times since the last byte */
};

/* The largest frame that SMB1 knows: [MS-SMB] 2.1, a 17 bit length */
#define NTSIGN_FRAME_MAX (NTSIGN_NBT_HEADER_LEN + 0x1FFFF)
/*
 * The largest NEGOTIATE or SESSION_SETUP_ANDX that holds together: header,
 * 255 words, 65535 bytes. A larger one is not waited for; a socket's receive
 * buffer may not even have room for it.
 */
#define NTSIGN_WAIT_MAX (NTSIGN_NBT_HEADER_LEN + NTSIGN_SMB1_HEADER_LEN + 1 + \
			 2 * 255 + 2 + 0xFFFF)

/* What is to be expected of the rest of a frame. */
enum ntsign_rest {
	NTSIGN_REST_THERE,	/* it is in the socket by now */
	NTSIGN_REST_COMING,	/* the event loop waits for it */
	NTSIGN_REST_NEVER,	/* it is not to come, or cannot be waited for */
};

/* MSG_PEEK of up to `want` bytes; 0 when there are none. */
size_t ntsign_wait_peek(struct ntsign_connection *c, uint8_t *buffer,
			size_t want);
/* Leaves the beginning of a frame of `full` bytes in the socket until all of
 * it is there. */
enum ntsign_rest ntsign_wait_for_rest(struct ntsign_connection *c,
				      size_t full);
/* smbd reads from the socket next, as if there had been no waiting. */
void ntsign_wait_over(struct ntsign_connection *c);
/* Makes room for the longest frames in the socket. */
void ntsign_wait_room(struct ntsign_connection *c);

/* ---- first.c ---- */

/* Looks at the message that opens the connection. */
void ntsign_first_message(struct ntsign_connection *c, const uint8_t *data,
			  size_t len);
/* The same, as it stands in the socket. */
void ntsign_first_look(struct ntsign_connection *c);
/* How much of the message that opens the connection has to be there; 0: smbd
 * can have it as it is. */
size_t ntsign_first_needed(enum ntsign_frame kind, size_t have,
			   uint32_t length);
/* Has it looked at before smbd's own handler of it is woken up. */
bool ntsign_first_wait(struct ntsign_connection *c);

/* ---- frame.c ---- */

/* Puts a handler in place of smbd's own of an SMB1 connection's socket. */
bool ntsign_frame_take_over(struct ntsign_connection *c);
/* Whether every signature is checked before smbd has the frame. */
bool ntsign_frame_checks_signatures(void);
/* The connection is gone, while smbd has a frame of its in hand or not. */
void ntsign_frame_forget(const struct ntsign_connection *c);

/* ---- connection.c ---- */

/* What one SMB1 session setup request said; reset with each. */
struct ntsign_setup {
	bool seen;			/* smbd has it in hand */
	NTTIME began;
	uint16_t flags2;
	/* talloc child of the connection; NULL when it did not parse */
	struct ntsign_smb1_session_setup *request;
	/* the password check of an NT4-style session setup was asked */
	bool checked;
	NTSTATUS check_status;
	bool refused;			/* by the module */
	const char *refusal;		/* why it is to be; static text */
	enum ntsign_action action;	/* what was decided */
	/* NT4-style: what its MAC key ends with; talloc child */
	uint8_t *response;
	size_t response_len;
	bool response_lm;		/* it is the LM response */
	/* it stands behind a request that smbd may have to wait in, and has
	 * come to nothing yet */
	bool chained;
	bool late;
	/* a token of it reached gensec, or a session came of it: recorded,
	 * or on its way */
	bool answered;
};

struct ntsign_connection {
	struct ntsign_connection *prev, *next;
	struct smbXsrv_connection *xconn;
	char id[17];			/* connectionId */
	char *local_address;		/* Samba's ipv4:1.2.3.4:5 form */
	char *remote_address;
	char *remote_ip;		/* without the port, as text */
	struct ntsign_address address;
	bool address_known;
	const char *limited_as;		/* the address, or its IPv6 network */

	/* the first message */
	struct tevent_fd *first_fde;	/* waits for it; NULL: does not */
	bool first_seen;
	enum ntsign_frame first;
	struct ntsign_smb1_negotiate *smb1_negotiate;
	struct ntsign_smb2_negotiate *smb2_negotiate;
	uint16_t negotiate_flags2;
	bool recorded;			/* an SMBConnection was written */
	bool turned_away;
	bool watched;			/* SMB2, and signing is required */

	bool ending;
	bool signing_started;		/* SMB1, and it never stops */
	/* the client has said in a session setup that it knows NTSTATUS */
	bool nt_status;
	/* enforce and emulate: the column for this client */
	struct ntsign_party column;
	/* smbd keeps its signing state in shared memory, not in talloc's */
	bool signing_shared;

	/* SMB1 */
	bool encrypted;			/* the frame in hand: UNIX extensions */
	struct ntsign_setup setup;
	struct ntsign_signature *signature;
	struct ntsign_counter counter;	/* Q275020 */
	bool setup_in_hand;		/* a session setup request */
	/* smbd's count is moved on by `shift` when so many frames more have
	 * been handled */
	unsigned int shift;
	unsigned int shift_frames;
	/* so many requests more may be repeated ones */
	unsigned int repeats;

	struct ntsign_session *sessions;
	struct ntsign_legs *legs;
	unsigned int session_count;
	/* settles a session setup whose answer is on its way */
	struct tevent_immediate *settle;
	struct ntsign_wait wait;
	/* sessions whose record is still to be written */
	unsigned int pending;
	/* a session stands that has no record */
	bool unrecorded;
};

/* Takes over a connection from which nothing has been read. */
NTSTATUS ntsign_connection_attach(struct ntsign_module *module,
				  struct smbXsrv_connection *xconn);

/*
 * The state of a connection; for a further channel that smbd took over from
 * another process it is made now. NULL when there is none to be had.
 */
struct ntsign_connection *ntsign_connection_get(
	struct smbXsrv_connection *xconn);

/* Once NEGOTIATE has been answered, or refused; or the connection ends. */
void ntsign_connection_negotiated(struct ntsign_connection *c, bool ended);
/* `server signing` for SMB1, as smbd has understood it. */
enum ntsign_signing ntsign_connection_signing(
	const struct ntsign_connection *c);
/* The row its client belongs in and the column the server is in. */
struct ntsign_party ntsign_connection_server(
	const struct ntsign_connection *c);
bool ntsign_connection_unpatched(const struct ntsign_connection *c,
				 const char *native_os);
/* "NT1", "SMB3_11", ...; NULL before NEGOTIATE has been answered. */
const char *ntsign_connection_dialect(const struct ntsign_connection *c);
bool ntsign_connection_is_smb2(const struct ntsign_connection *c);
/* From here on every SMB2 request is looked at for its signature. */
void ntsign_connection_watch(struct ntsign_connection *c);
/* A session's record waits: it is asked for before each event. */
void ntsign_connection_trace(struct ntsign_connection *c);
/* Adds "client" or "server" to a record. */
void ntsign_connection_record_party(struct ntsign_record *record,
				    const char *name,
				    struct ntsign_party party);

/* ---- session.c ---- */

/*
 * Before smbd handles an SMB1 message with a session setup request, and
 * after each message. `command`: where in the message the request begins,
 * ntsign_smb1_find_command().
 */
void ntsign_session_begin(struct ntsign_connection *c,
			  const uint8_t *message, size_t len, size_t command);
void ntsign_session_end(struct ntsign_connection *c);

/* Records that the SMB1 session setup request in hand is refused. */
void ntsign_session_refuse(struct ntsign_connection *c);
/* Records that it fails with this status, which is no refusal. */
void ntsign_session_fail(struct ntsign_connection *c, NTSTATUS status);

/* Writes the records of session setups that have ended. */
void ntsign_session_settle(struct ntsign_connection *c);

/* The connection ends before its sessions do. */
void ntsign_session_detach(struct ntsign_connection *c);

/* Hands every session of this process to `fn`, which returns 0: smbd logs a
 * traverse that is cut short. */
void ntsign_session_traverse(int (*fn)(struct smbXsrv_session *session,
				       void *private_data),
			     void *private_data);

/* What the module knows of one of smbd's sessions; goes with it. */
struct ntsign_session {
	struct ntsign_session *prev, *next;
	struct ntsign_connection *connection;
	struct smbXsrv_session *session;
	struct ntsign_legs *legs;	/* of the setup under way, or NULL */
	/* SMB1: set up, and its record waits for its first request */
	struct ntsign_legs *undecided;
	/* as smbd has them; copied, as they go before the session does */
	char *account;
	char *domain;
	bool anonymous;
	bool guest;
	bool keyless;			/* anonymous or guest: cannot sign */
	bool proven;			/* `verified` has been recorded */
	bool established;
};

/* The state of one of smbd's sessions, or NULL. */
struct ntsign_session *ntsign_session_find(const struct ntsign_connection *c,
					   struct smbXsrv_session *session);

/* ---- gensec.c ---- */

/*
 * Puts the module's backends in front of gensec's "spnego" and "ntlmssp",
 * under their name, so that nothing on the wire or in smbd's logs differs.
 * On failure smbd may hold pointers to them already: the module must stay
 * loaded. NT_STATUS_NOT_SUPPORTED on an Active Directory domain controller.
 */
NTSTATUS ntsign_gensec_hook(void);

/* ---- logon.c ---- */

/* Wraps an SMB1 connection's password check once NEGOTIATE has made it. */
void ntsign_logon_hook(struct ntsign_connection *c);

/* ---- signature.c ---- */

/* Before and after smbd handles one SMB1 frame. `message` is what of it has
 * arrived, from its mark on; it has to stay until the latter. */
void ntsign_signature_before(struct ntsign_connection *c,
			     const struct ntsign_smb1_header *header,
			     const uint8_t *message, size_t len,
			     size_t full_len);
void ntsign_signature_after(struct ntsign_connection *c);
/* The connection ends while smbd handles a frame. */
void ntsign_signature_end(struct ntsign_connection *c);
/*
 * emulate, `bad signature = access denied`: whether the frame that was handed
 * to ntsign_signature_before(), all of it, has the signature that smbd
 * expects. False: it has been recorded, and *sequence is the number that its
 * answer is signed with.
 */
bool ntsign_signature_check(struct ntsign_connection *c, uint32_t *sequence);
/*
 * In smbd's place: checks the signature of the frame that was handed to
 * ntsign_signature_before(), and counts it. *sequence: the number that its
 * answer is signed with, 0 where nothing is signed. False: it is bad, or the
 * frame is not whole; smbd shall see it.
 */
bool ntsign_signature_take(struct ntsign_connection *c, uint32_t *sequence);
/* Signing has started: keeps the key of the session that started it. With an
 * NT4-style session setup that ends with the response in c->setup. */
void ntsign_signature_started(struct ntsign_connection *c,
			      struct smbXsrv_session *session, bool nt4);
/* Whether SMB1 signing has been started and not switched off. */
bool ntsign_signature_on(const struct ntsign_connection *c);
/* Whether a good SMB1 signature has been seen on the connection. */
bool ntsign_signature_proven(const struct ntsign_connection *c);
/* Whether smbd is ending the connection over the SMB1 frame it has in hand. */
bool ntsign_signature_refused(const struct ntsign_connection *c);
/* SMB2: records that a session's client has been seen to sign. */
void ntsign_signature_proof(struct ntsign_session *s);
/* SMB2, a connection with a session that requires signing: before smbd reads
 * from its socket. */
void ntsign_signature_smb2_before(struct ntsign_connection *c);

/* Of the session whose key signs; NULL: not known. */
const char *ntsign_signature_account(const struct ntsign_connection *c);
/* The number that smbd expects of the next request, 0: it signs nothing. */
uint32_t ntsign_signature_expected(const struct ntsign_connection *c);

/* ---- sequence.c ---- */

void ntsign_sequence_attach(struct ntsign_connection *c);
/* Before smbd handles an SMB1 message. setup: it has a session setup request,
 * which ntsign_session_begin() has seen. */
void ntsign_sequence_arrived(struct ntsign_connection *c,
			     const struct ntsign_smb1_header *header,
			     bool setup);
/* The password has been checked, and the answer has not been sent. */
void ntsign_sequence_behind(struct ntsign_connection *c);
/* After smbd has handled a message. */
void ntsign_sequence_handled(struct ntsign_connection *c);
/* Whether signatures, where there are any, have to be checked before smbd has
 * the frame. */
bool ntsign_sequence_checks(const struct ntsign_connection *c);
/* Whether that may come to be. */
bool ntsign_sequence_holds(const struct ntsign_connection *c);
/*
 * A signature is not that of the number expected. near: it is that of
 * `received`, and not that of an earlier message. Carries out a
 * resynchronisation.
 */
enum ntsign_counter_verdict ntsign_sequence_mismatch(
	struct ntsign_connection *c, uint32_t expected, bool near,
	uint32_t received);
/* A signature is that of the number expected. */
void ntsign_sequence_matched(struct ntsign_connection *c);
void ntsign_sequence_record_desynchronised(const struct ntsign_connection *c,
					   uint32_t expected,
					   uint32_t received);
/* ---- pipe.c, pipe_smb1.c ---- */

/* Looks for new pipes from now on, where an option asks for it. */
void ntsign_pipe_attach(struct ntsign_connection *c);
/* Looks for new pipes: after smbd has handled an SMB1 frame. */
void ntsign_pipe_look(void);
/* Whether an option has a pipe's traffic changed. */
bool ntsign_pipe_acts(void);
/* Before smbd handles an SMB1 frame: true when it has been answered. have:
 * what of the message is at hand, its first 34 bytes at least; full: all of
 * its bytes. */
bool ntsign_pipe_frame(struct ntsign_connection *c,
		       const struct ntsign_smb1_header *header,
		       const uint8_t *message, size_t have, size_t full);
/* Whether the emulated remote registry is down. */
bool ntsign_pipe_registry_down(void);
/* Records that winreg could not be opened. */
void ntsign_pipe_unavailable(struct ntsign_connection *c, uint64_t vuid);
/*
 * Whether it took the system with it, scope `system`: then new session setups
 * fail. False in a process where the preload half did not take part.
 */
bool ntsign_registry_system_down(void);

/* ---- credential.c ---- */

/*
 * Reads the certificate of `credential handles` into module->handle; without
 * one, or with a bad one, which is a finding, all session setups share a
 * handle. False when memory runs out.
 */
bool ntsign_credential_load(struct ntsign_module *module);

/* Whether a session setup has to acquire the credential handle. */
bool ntsign_credential_wanted(void);

/*
 * Acquires it: ends after the hold, under `fix` after having waited for its
 * turn as well. account: for the record, or NULL. Ends at once with
 * NT_STATUS_INTERNAL_ERROR where another acquisition is under way and
 * `emulate` is set. Freeing the request gives the acquisition up.
 */
struct tevent_req *ntsign_credential_acquire_send(
	TALLOC_CTX *mem_ctx, struct tevent_context *ev,
	struct ntsign_connection *c, const char *account);
NTSTATUS ntsign_credential_acquire_recv(struct tevent_req *req);
/* The same for an SMB1 connection's frame, for which nothing else of the
 * connection goes on, as smbd does it in all of its own. */
NTSTATUS ntsign_credential_acquire(struct ntsign_connection *c,
				   const char *account);

/* ---- crypto.c ---- */

/* A function of ntsign-crypto.so, which is loaded on first need; NULL, and
 * once a line in the log, when it cannot be had. */
void *ntsign_crypto_symbol(const char *name);

/* ---- tree.c ---- */

NTSTATUS ntsign_tree_register(void);
/*
 * The same where nothing of smbd's may be touched, in a process or an smbd
 * the module was not built for: passes all through. `register_fn` is that
 * process's smb_register_vfs().
 */
typedef NTSTATUS (*ntsign_register_fn)(int version, const char *name,
				       const struct vfs_fn_pointers *fns);
NTSTATUS ntsign_tree_register_inert(ntsign_register_fn register_fn);

#endif
