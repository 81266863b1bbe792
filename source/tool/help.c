/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands, what they are for, and what was wrong with a command line.
 *
 * Invariant: one table names every command; help, dispatch and the test of
 * the man page all go by it.
 */
#include <ctype.h>
#include <getopt.h>
#include <string.h>

#include "ntsign_config.h"
#include "tool.h"

const struct ntsign_command ntsign_commands[] = {
	{
		.name = "matrix",
		.summary = "the signing matrix of KB916846",
		.help =
"Usage: ntsign matrix [--json]\n"
"\n"
"Prints what comes of each kind of client and server: signed, not signed\n"
"or no communication; 36 cells.\n"
"\n"
"  --json   one JSON object, for programs\n",
		.run = ntsign_matrix_main,
	}, {
		.name = "check",
		.summary = "errors in smb.conf, and whether the module fits",
		.help =
"Usage: ntsign check [--smb-conf FILE] [--module FILE]\n"
"\n"
"Reads smb.conf and names every error in the ntsign: options and in the two\n"
"lines that load the module, one a line:\n"
"\n"
"  FILE:LINE: error|warning|note: what is wrong\n"
"\n"
"LINE is the line to change. Says as well, as `info', what the module was\n"
"made for, and whether it fits the smbd that is installed and the one that is\n"
"running. Run it as root: others cannot tell the latter, and whether the\n"
"audit file can be written.\n"
"\n"
"  --smb-conf FILE  instead of " NTSIGN_CONFIGFILE "\n"
"  --module FILE    what smbd loads for `vfs objects = ntsign', instead of\n"
"                   " NTSIGN_MODULESDIR "/vfs/ntsign.so\n"
"\n"
"Exit status: 0 no errors, 1 errors, 2 bad usage, 3 the file cannot be read.\n",
		.run = ntsign_check_main,
	}, {
		.name = "report",
		.summary = "what the audit says, summed up",
		.help =
"Usage: ntsign report [FILE...] [--what-if required|enabled|disabled]\n"
"                     [--since T] [--until T] [--rotated] [--jobs N]\n"
"                     [--format text|json|csv|html|prometheus] [--table NAME]\n"
"                     [-o FILE] [--smb-conf FILE]\n"
"       ntsign report [FILE...] --suggest-rules [--exception-days N]\n"
"                     [--format text|json] [-o FILE] [--smb-conf FILE]\n"
"\n"
"Reads audit files and prints the signing matrix with the sessions counted,\n"
"the clients, and every mismatch with what it comes from. FILE is an audit\n"
"file, packed with gzip, xz or zstd or not, `-' standard input; without one it\n"
"is the audit file that smb.conf names. Lines that are no records are counted\n"
"and named.\n"
"\n"
"  --what-if required|enabled|disabled\n"
"                   who would lose access, become signed or unsigned, gain\n"
"                   access or be unaffected, had the server been in that\n"
"                   state; and of whom it is not known that they can sign\n"
"  --since T        only records from T on: a day, a day and a time, as in\n"
"                   2026-11-20T20:01 with Z, +hh:mm or in local time, or how\n"
"                   long ago: 45s 30m 12h 7d 2w\n"
"  --until T        only records up to T; all of a day counts\n"
"  --rotated        read FILE.1, FILE.2.gz, FILE-20261120.xz ... as well\n"
"  --jobs N         how many threads read (default: one a processor)\n"
"  --suggest-rules  instead of the report: the line of smb.conf that requires\n"
"                   signing of all that have shown that they can, with dated\n"
"                   exceptions for the others and the reason for each\n"
"  --exception-days N  how long these last, 1 to 3650 days (default 90)\n"
"  --format text    for people (default)\n"
"  --format json    one JSON object, for programs\n"
"  --format csv     one table, for spreadsheets\n"
"  --format html    one page, for a browser\n"
"  --format prometheus  counters for node_exporter's textfile collector\n"
"  --table NAME     which one of the CSV: clients (default), accounts,\n"
"                   mismatches, quirks, turned-away, matrix or sessions\n"
"  -o, --output FILE  write to FILE instead of standard output; FILE is\n"
"                   replaced when the report is whole\n"
"  --smb-conf FILE  where to look for the audit file, instead of\n"
"                   " NTSIGN_CONFIGFILE "\n"
"\n"
"Exit status: 0 done, 2 bad usage, 3 a file cannot be read or written. Where\n"
"one is cut off or damaged the report of the rest is written all the same.\n",
		.run = ntsign_report_main,
	}, {
		.name = "follow",
		.summary = "records as they come, a line each",
		.help =
"Usage: ntsign follow [FILE] [-n N | --from-start] [--once] [--json]\n"
"                     [--mismatch] [--client ADDRESS]... [--account NAME]...\n"
"                     [--type TYPE]... [--smb-conf FILE]\n"
"\n"
"Prints one readable line for each record that is added to the audit file,\n"
"until it is interrupted. It goes on when the file is rotated, by renaming or\n"
"by copying it and cutting it to nothing. FILE is an audit file, `-' standard\n"
"input; without one it is the audit file that smb.conf names, which it waits\n"
"for if need be.\n"
"\n"
"  -n, --lines N    begin with the last N records (default 0)\n"
"  --from-start     begin with the first record\n"
"  --once           end at the end of the file instead of waiting\n"
"  --mismatch       only what should not be: mismatches, clients refused or\n"
"                   turned away, bad, missing and downgraded signatures,\n"
"                   quirks, and the module's own messages but its starts\n"
"  --client ADDRESS  only of clients with this IPv4 or IPv6 address or in\n"
"                   this block (192.0.2.0/24)\n"
"  --account NAME   only of this account, NAME or DOMAIN\\NAME\n"
"  --type TYPE      only of this type: SMBConnection, SMBSession, SMBTree,\n"
"                   SMBSignature, SMBQuirk or SMBAudit\n"
"  --json           the records as they are, one JSON object a line\n"
"  --smb-conf FILE  where to look for the audit file, instead of\n"
"                   " NTSIGN_CONFIGFILE "\n"
"\n"
"--client, --account and --type may be given more than once: what one of them\n"
"fits is shown. Of different filters, each has to be passed.\n"
"\n"
"Exit status: 0 interrupted by SIGINT or SIGTERM, or at the end with --once;\n"
"2 bad usage, 3 no such file.\n",
		.run = ntsign_follow_main,
	}, {
		.name = "help",
		.summary = "this list, or help for a command",
		.help =
"Usage: ntsign help [COMMAND]\n"
"\n"
"Prints the list of commands, or all about one of them.\n",
		.run = ntsign_help_main,
	}, {
		.name = "probe",
		.summary = "plays clients of the matrix against a server",
		.help =
"Usage: ntsign probe //HOST/SHARE -U USER%PASS --as ROW [--server COLUMN]\n"
"       ntsign probe //HOST/SHARE -U USER%PASS --matrix --server COLUMN\n"
"       ntsign probe //HOST --smb2\n"
"\n"
"Plays one client row of the signing matrix, or all six, against any SMB1\n"
"server and tells what came of it: signed, not signed or no communication.\n"
"Every signature of the server is verified. ROW and COLUMN are\n"
"patched-required, patched-enabled, patched-disabled, unpatched-required,\n"
"unpatched-enabled or unpatched-disabled.\n"
"\n"
"  --as ROW           play this client\n"
"  --matrix           play all six\n"
"  --server COLUMN    compare with what the matrix says of this server\n"
"  --setup KIND       session setup: ntlmssp (default), nt4 (without extended\n"
"                     security), or with --matrix both, which is what a\n"
"                     server is to be judged by\n"
"  --ntlmv1           answer with NTLMv1 instead of NTLMv2\n"
"  --smb2             what the server offers and requires in each dialect of\n"
"                     SMB2; needs neither share nor user\n"
"  -U, --user [DOMAIN\\]USER[%PASS]\n"
"  -A, --authentication-file FILE  with `username = ', `password = ' and\n"
"                     `domain = ' in it. Without a password there either, it\n"
"                     is taken from the environment's PASSWD, or asked for\n"
"  -p, --port PORT    TCP port (default 445)\n"
"  --timeout SECONDS  for connecting, and for every answer (default 10)\n"
"  --json             one JSON object, for programs\n"
"  -v, --verbose      every message: flags, security mode, sequence number,\n"
"                     signature; with --smb2 a line more for each dialect\n"
"\n"
"Exit status: 0 done, and as the matrix says; 1 it differs; 2 bad usage;\n"
"3 it could not be tried: no server, no SMB1, wrong password, no such share.\n"
"With 2 and 3 there is nothing on standard output, with --json neither.\n",
		.run = ntsign_probe_main,
	}, {
		.name = "reset",
		.summary = "end an emulated outage",
		.help =
"Usage: ntsign reset [--smb-conf FILE]\n"
"\n"
"Ends the outage that `ntsign:remote registry = emulate' has led to (Q264684):\n"
"winreg can be opened again, and where it took the system down, sessions can\n"
"be set up. Done at once, whether smbd runs or not; needs root.\n"
"\n"
"  --smb-conf FILE  where to look for the lock directory, instead of\n"
"                   " NTSIGN_CONFIGFILE "\n"
"\n"
"Exit status: 0 there is no outage any more; 3 it could not be ended.\n",
		.run = ntsign_reset_main,
	},
	{ .name = NULL },
};

void ntsign_help_usage(FILE *f)
{
	const struct ntsign_command *c = NULL;

	fprintf(f, "Usage: ntsign COMMAND [OPTION...]\n"
		   "       ntsign --version\n\nCommands:\n");
	for (c = ntsign_commands; c->name != NULL; c++) {
		if (c->run != NULL) {
			fprintf(f, "  %-8s %s\n", c->name, c->summary);
		}
	}
	fprintf(f, "\n'ntsign help COMMAND' tells more; so does ntsign(1).\n");
}

int ntsign_help_command(const char *name)
{
	const struct ntsign_command *c = ntsign_command_find(name);

	if (c == NULL) {
		return ntsign_help_misused("ntsign", "unknown command '%s'",
					   name);
	}
	printf("%s", c->help);
	return NTSIGN_EXIT_DONE;
}

int ntsign_help_main(TALLOC_CTX *mem_ctx, int argc, char **argv)
{
	(void)mem_ctx;
	if (argc < 2) {
		ntsign_help_usage(stdout);
		return NTSIGN_EXIT_DONE;
	}
	if (argc > 2) {
		return ntsign_help_misused(argv[0], "unexpected argument '%s'",
					   argv[2]);
	}
	return ntsign_help_command(argv[1]);
}

int ntsign_help_misused(const char *who, const char *format, ...)
{
	const char *command = strchr(who, ' ');
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = talloc_vasprintf(NULL, format, ap);
	va_end(ap);
	ntsign_output_error("%s: %s", who,
			    text != NULL ? text : "out of memory");
	TALLOC_FREE(text);
	fprintf(stderr, "Try 'ntsign help%s'.\n",
		command != NULL ? command : "");
	return NTSIGN_EXIT_USAGE;
}

int ntsign_help_bad_option(int argc, char **argv, int answer)
{
	const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";
	bool is_long = strncmp(word, "--", 2) == 0;

	if (answer == ':') {
		return ntsign_help_misused(argv[0],
					   "option '%s' needs a value", word);
	}
	if (is_long && optopt != 0) {
		return ntsign_help_misused(
			argv[0], "option '%s' takes no value", word);
	}
	if (!is_long && isgraph(optopt)) {
		return ntsign_help_misused(argv[0], "unknown option '-%c'",
					   optopt);
	}
	return ntsign_help_misused(argv[0], "unknown option '%s'", word);
}
