/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts and numbers in a page of HTML.
 *
 * Invariant: whatever a text says, it stays text: it ends neither the element
 * nor the quoted attribute that it is written into; and all that is written is
 * ASCII, so that no character can reach a terminal, or be taken for another
 * one in a wrong encoding.
 */
#ifndef NTSIGN_HTML_H
#define NTSIGN_HTML_H

#include <stdint.h>
#include <stdio.h>

#include "moment.h"
#include "words.h"

/*
 * A text, in an element or between the quotes of an attribute. Control
 * characters, bytes that are no UTF-8 and characters that reorder or hide
 * others are written as ntsign_output_safe() does, so that they are seen.
 */
void ntsign_html_text(FILE *f, const char *text);
/* The texts of a set, each in an element of its own, and whether there were
 * more. */
void ntsign_html_names(FILE *f, const struct ntsign_names *names);
/* "1,234,567" */
void ntsign_html_count(FILE *f, uint64_t count);
/* "2026-11-20 20:01:33", in UTC whatever the record's zone is. */
void ntsign_html_moment(FILE *f, const struct ntsign_moment *moment);

#endif
