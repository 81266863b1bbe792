/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What Microsoft's articles say that the records name.
 *
 * Invariant: only articles of this table are linked, and only those that the
 * page has.
 */
#include <string.h>

#include "html.h"
#include "report_html.h"
#include "tool.h"

#define ARTICLES 5

static const struct {
	const char *name, *title, *what, *mend;
} articles[ARTICLES] = {
	{ NTSIGN_ARTICLE,
	  "SMB communication is not completed if the signing settings are "
	  "mismatched",
	  "Client and server each have signing required, enabled or disabled. "
	  "Where one requires what the other has disabled there is no "
	  "communication. Microsoft's update of 2006 changed that: a patched "
	  "side signs, although it has signing disabled, when the other one "
	  "requires it. The matrix above is this article's.",
	  "Enable signing on the side that has it disabled, or take the "
	  "requirement from the other; ntsign:signing rules can do so for "
	  "single clients and until a date." },
	{ "Q275020",
	  "The signing counter goes out of step",
	  "A Windows NT 4.0 client that sends a request while a further "
	  "session is being set up on the same signing connection counts "
	  "differently from the server. From then on every request of that "
	  "connection is answered with access denied.",
	  "Update the client (the Security Rollup Package of Windows NT 4.0 "
	  "has it); ntsign:signing counter = fix takes such a client back into "
	  "step." },
	{ "Q322051",
	  "Programs may not connect to a server with mismatched security DLLs",
	  "A Windows NT 4.0 server whose security DLLs are of different "
	  "strength agrees on 128 bits and cannot decrypt what it is sent, so "
	  "that sealed requests over named pipes fail. In the audit it also "
	  "stands for sessions whose key is weaker than "
	  "ntsign:minimum key bits asks for.",
	  "Bring the side with 40 or 56 bits to 128." },
	{ "Q192749",
	  "Two acquisitions of one certificate's credential handle at a time",
	  "Schannel in Windows NT 4.0 before Service Pack 4 can fail when two "
	  "threads acquire the credential handle of the same certificate at "
	  "the same time.",
	  "ntsign:credential handles = fix lets them wait for each other." },
	{ "Q264684",
	  "Malformed requests to the remote registry (MS00-040)",
	  "A request to Windows NT 4.0's remote registry that is malformed in "
	  "a certain way, from somebody who has logged on, ends the registry "
	  "server and with it the system's logon process. Samba's registry "
	  "server is not harmed by it.",
	  "Find out who sends such requests; ntsign:remote registry = fix "
	  "answers them with a fault before Samba's registry server sees "
	  "them." },
};

static bool is_named(const struct ntsign_tally *tally, const char *name)
{
	size_t i;

	if (strcmp(name, NTSIGN_ARTICLE) == 0) {
		return true;
	}
	for (i = 0; i < tally->mismatches.count; i++) {
		const struct ntsign_tally_mismatch *m =
			tally->mismatches.list[i];

		if (strcmp(m->article, name) == 0) {
			return true;
		}
	}
	for (i = 0; i < tally->quirks.count; i++) {
		const struct ntsign_tally_quirk *q = tally->quirks.list[i];

		if (strcmp(q->article, name) == 0) {
			return true;
		}
	}
	return false;
}

void ntsign_report_html_cell_article(FILE *f, const char *article)
{
	size_t i;

	for (i = 0; i < ARTICLES; i++) {
		if (strcmp(articles[i].name, article) == 0) {
			fprintf(f, "<td><a href=\"#%s\">%s</a>\n",
				articles[i].name, articles[i].name);
			return;
		}
	}
	(void)fputs("<td>", f);
	ntsign_html_text(f, article);
	(void)fputc('\n', f);
}

void ntsign_report_html_articles(FILE *f, const struct ntsign_tally *tally)
{
	size_t i;

	fprintf(f, "<section id=\"articles-section\" "
		"aria-labelledby=\"articles-heading\">\n"
		"<h2 id=\"articles-heading\">Articles</h2>\n"
		"<p>What the articles say that are named on this page; they "
		"are of Microsoft's Knowledge Base.</p>\n");
	for (i = 0; i < ARTICLES; i++) {
		if (is_named(tally, articles[i].name)) {
			fprintf(f, "<h3 id=\"%s\">%s: %s</h3>\n<p>%s</p>\n"
				"<p><strong>What to do.</strong> %s</p>\n",
				articles[i].name, articles[i].name,
				articles[i].title, articles[i].what,
				articles[i].mend);
		}
	}
	fprintf(f, "</section>\n");
}
