/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The certificate whose credential handle Q192749 is about.
 *
 * Invariant: the file is read once and nothing of it is kept but the digest;
 * nothing is asked of a terminal, and nothing waits.
 */
#include "ntsign/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* Larger than any chain of certificates with its key. */
#define FILE_MAX (1024 * 1024)

/* Nobody is there to type a password. */
static int no_password(char *buf, int size, int rwflag, void *data)
{
	return -1;
}

/* Opens it for OpenSSL; NULL with *why. */
static BIO *open_file(const char *path, const char **why)
{
	struct stat st = { .st_mode = 0 };
	/* a FIFO that nobody writes to must not stop the process */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	BIO *bio = NULL;

	if (fd == -1) {
		*why = strerror(errno);
		return NULL;
	}
	(void)fstat(fd, &st);
	if (!S_ISREG(st.st_mode)) {
		*why = "it is not a regular file";
	} else if (st.st_size > FILE_MAX) {
		*why = "it is larger than any certificate";
	} else {
		bio = BIO_new_fd(fd, BIO_CLOSE);
		if (bio != NULL) {
			return bio;
		}
		*why = "out of memory";
	}
	close(fd);
	return NULL;
}

bool ntsign_certificate_digest(
	const char *path, uint8_t digest[NTSIGN_CERTIFICATE_DIGEST_LEN],
	const char **why)
{
	uint8_t result[EVP_MAX_MD_SIZE] = { 0 };
	X509 *certificate = NULL;
	BIO *file = NULL;
	BIO *bio = open_file(path, why);
	bool ok = false;

	if (bio == NULL) {
		return false;
	}
	/* PEM is read line by line, which a file descriptor does not have */
	file = BIO_new(BIO_f_buffer());
	if (file == NULL) {
		BIO_free(bio);
		*why = "out of memory";
		return false;
	}
	bio = BIO_push(file, bio);
	ERR_clear_error();
	certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	BIO_free_all(bio);
	if (certificate == NULL) {
		*why = "it has no certificate in PEM form, or a damaged one";
	} else if (X509_digest(certificate, EVP_sha256(), result, NULL) != 1) {
		*why = "its SHA-256 cannot be computed";
	} else {
		memcpy(digest, result, NTSIGN_CERTIFICATE_DIGEST_LEN);
		ok = true;
	}
	X509_free(certificate);
	ERR_clear_error();
	return ok;
}
