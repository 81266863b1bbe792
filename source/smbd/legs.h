/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Session setups as session.c, gensec.c, logon.c and ended.c see them.
 *
 * Invariant: the legs of an exchange belong to the connection until they
 * have led to a session, then to that.
 */
#ifndef NTSIGN_LEGS_H
#define NTSIGN_LEGS_H

#include "module.h"

/* The legs of one extended security exchange. A talloc child of the
 * ntsign_connection, then of the ntsign_session it led to. */
struct ntsign_legs {
	struct ntsign_legs *prev, *next;
	struct ntsign_connection *connection;
	/* below the gensec context; NULL once that is gone */
	struct legs_anchor *anchor;
	const struct gensec_security *gensec;
	/* the same, once its exchange has ended well */
	const struct gensec_security *accepted;
	/* the NTLMSSP context below it that was last handed a token */
	const struct gensec_security *mechanism;

	/* SMB1: of the latest leg */
	uint16_t flags2;
	char *native_os;
	char *native_lanman;
	/* SMB2 */
	uint8_t security_mode;
	bool binding;

	bool reauthentication;
	bool spnego;			/* not raw NTLMSSP */
	bool kerberos;			/* SPNEGO's tokens name it */
	bool ntlmssp;			/* the mechanism in use */
	uint32_t negotiate_flags;
	uint32_t challenge_flags;
	struct ntsign_ntlmssp *authenticate;
	bool ntlmssp_ended;		/* it is what has been agreed on */
	bool final_flags_known;
	uint32_t final_flags;
	bool refused;			/* by the module */
	const char *refusal;		/* why; static text */
	unsigned int leg;		/* counted from 1 */
	bool names_ntlmssp;		/* a token of it does */
	NTSTATUS info_status;
};

/* Ends the legs with their gensec context, unless they led to a session. */
struct legs_anchor {
	struct ntsign_legs *legs;
};

/* A session setup that has ended. */
struct ntsign_ended {
	struct ntsign_connection *c;
	struct ntsign_session *session;		/* NULL: none stands */
	const struct ntsign_legs *legs;		/* NULL: NT4-style */
	bool known;				/* whether `status` is */
	NTSTATUS status;
	/* its first request was turned down for want of a signature */
	bool unsigned_client;
	/* it was refused because it does not say that it signs */
	bool not_signing;
	/* not the first of its message, whose request is not at hand */
	bool further;
};

/* ---- ended.c ---- */

/* Flags2 of its SMB1 request, or of the latest leg's. */
uint16_t ntsign_ended_flags2(const struct ntsign_ended *e);
/* Writes its record. */
void ntsign_ended_record(struct ntsign_ended *e);

/* ---- session.c ---- */

/* The state of one of smbd's sessions, made where there is none; NULL when
 * memory runs out. */
struct ntsign_session *ntsign_session_new(struct ntsign_connection *c,
					  struct smbXsrv_session *session);
/* smbd has something to do before the session setups that are pending have
 * come to their end, and does it by itself. */
void ntsign_session_settle_soon(struct ntsign_connection *c);

/* ---- gensec.c ---- */

/*
 * The strength of an NTLMSSP session's key, 0 where there is none: what Samba
 * ended with, or before that what both sides have said, [MS-NLMP] 3.2.5.1.2.
 */
unsigned int ntsign_legs_key_bits(const struct ntsign_legs *legs);

#endif
