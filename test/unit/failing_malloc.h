/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Makes the n-th allocation of this program fail, whoever asks for it:
 * talloc, jansson and OpenSSL all come to malloc() in the end, and a
 * definition in the program goes before the C library's.
 *
 * Invariant: while nothing is armed, nothing fails. Under AddressSanitizer,
 * which brings a malloc() of its own, nothing ever fails and
 * FAILING_MALLOC_WORKS is 0.
 *
 * To be included once in a test program.
 */
#ifndef TEST_UNIT_FAILING_MALLOC_H
#define TEST_UNIT_FAILING_MALLOC_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define FAILING_MALLOC_WORKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FAILING_MALLOC_WORKS 0
#endif
#endif
#ifndef FAILING_MALLOC_WORKS
#define FAILING_MALLOC_WORKS 1
#endif

static struct {
	bool armed;
	bool failed;
	size_t left;
} failing_malloc;

/* From here on the n-th allocation fails, counted from 0, and no other. */
static inline void failing_malloc_arm(size_t n)
{
	failing_malloc.left = n;
	failing_malloc.failed = false;
	failing_malloc.armed = true;
}

/* Whether there was such an allocation since it was armed. */
static inline bool failing_malloc_disarm(void)
{
	failing_malloc.armed = false;
	return failing_malloc.failed;
}

#if FAILING_MALLOC_WORKS

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static inline bool failing_malloc_now(void)
{
	if (!failing_malloc.armed || failing_malloc.failed) {
		return false;
	}
	if (failing_malloc.left > 0) {
		failing_malloc.left--;
		return false;
	}
	failing_malloc.failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return failing_malloc_now() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return failing_malloc_now() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return failing_malloc_now() ? NULL : __libc_realloc(old, size);
}

#endif
#endif
