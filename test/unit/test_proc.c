/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tests what is read of another process: lines as Linux writes them, and
 * lines that are cut off.
 *
 * Invariant: a line that was not understood whole is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/tool/proc.h"

#define LIBRARY "/usr/lib/x86_64-linux-gnu/libsmbconf.so.0.0.1"

static const struct {
	const char *line;
	const char *range;	/* NULL: it is no line of a file */
	uint64_t inode;
	const char *path;
	bool deleted;
} maps[] = {
	{ "7f2a6c1d3000-7f2a6c1f1000 r--p 00000000 fe:01 1316427    " LIBRARY,
	  "7f2a6c1d3000-7f2a6c1f1000", 1316427, LIBRARY, false },
	{ "7f2a6c1d3000-7f2a6c1f1000 r--p 00000000 fe:01 1316427    " LIBRARY
	  " (deleted)", "7f2a6c1d3000-7f2a6c1f1000", 1316427, LIBRARY, true },
	{ "00400000-00452000 r-xp 00000000 08:02 173521 /usr/sbin/smbd",
	  "400000-452000", 173521, "/usr/sbin/smbd", false },
	{ "00400000-00452000 r-xp 00000000 08:02 173521 /srv/a name (deleted)x",
	  "400000-452000", 173521, "/srv/a name (deleted)x", false },
	{ "00000000-00001000 r-xp 00000000 08:02 1 /x", "0-1000", 1, "/x",
	  false },
	{ .line = "7ffd3a5f0000-7ffd3a611000 rw-p 00000000 00:00 0    [stack]" },
	{ .line = "7ffd3a5f0000-7ffd3a611000 rw-p 00000000 00:00 0 " },
	{ .line = "00400000-00452000 r-xp 00000000 08:02 173521" },
	{ .line = "00400000-00452000 r-xp 00000000 08:02 173521 [heap]" },
	{ .line = "00400000-00452000 r-xp 00000000 08:02 many /usr/sbin/smbd" },
	{ .line = "00400000-00452000 r-xp 00000000 08:02 99999999999999999999 /x" },
	{ .line = "00400000-00452000 r-xp 00000000 0802 173521 /usr/sbin/smbd" },
	{ .line = "00400000-00452000 r-xp 00000000 08:02x 173521 /usr/sbin/smbd" },
	{ .line = "00400000 r-xp 00000000 08:02 173521 /usr/sbin/smbd" },
	{ .line = "-00452000 r-xp 00000000 08:02 173521 /usr/sbin/smbd" },
	{ .line = "00400000- r-xp 00000000 08:02 173521 /usr/sbin/smbd" },
	{ .line = "00400000-../../.. r-xp 00000000 08:02 173521 /usr/sbin/smbd" },
	{ .line = "../../../..-00452000 r-xp 00000000 08:02 173521 /usr/sbin/smbd" },
	{ .line = "00000000000400000-00452000 r-xp 00000000 08:02 173521 /x" },
	{ .line = "" },
	{ .line = " " },
	{ .line = "00400000-00452000" },
};

static void test_maps(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct ntsign_proc_map map;
		char line[256];

		print_message("%s\n", maps[i].line);
		(void)snprintf(line, sizeof(line), "%s", maps[i].line);
		if (maps[i].range == NULL) {
			assert_false(ntsign_proc_parse_map(line, &map));
			continue;
		}
		assert_true(ntsign_proc_parse_map(line, &map));
		assert_string_equal(map.range, maps[i].range);
		assert_string_equal(map.path, maps[i].path);
		assert_int_equal(map.inode, maps[i].inode);
		assert_int_equal(map.deleted, maps[i].deleted);
	}
}

static const struct {
	const char *line;
	const char *point;	/* NULL: it is no such line */
	bool read_only;
} mounts[] = {
	{ "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root "
	  "rw,errors=continue", "/mnt2", false },
	{ "36 35 98:0 /mnt1 /mnt2 ro,noatime - ext3 /dev/root rw", "/mnt2",
	  true },
	{ "36 35 98:0 /mnt1 /mnt2 rw shared:1 master:2 - ext3 /dev/root ro",
	  "/mnt2", true },
	{ "36 35 98:0 / /a\\040b\\134c\\011 rw - ext3 /dev/root rw",
	  "/a b\\c\t", false },
	{ "36 35 98:0 / /a\\04 rw - ext3 /dev/root rw", "/a\\04", false },
	{ "36 35 98:0 / / rootflags - overlay overlay rw,ro_or_so", "/",
	  false },
	{ .line = "36 35 98:0 / / rw shared:1 ext3 /dev/root rw" },
	{ .line = "36 35 98:0 / / rw - ext3 /dev/root" },
	{ .line = "36 35 98:0 / mnt rw - ext3 /dev/root rw" },
	{ .line = "36 35 98:0 / /" },
	{ .line = "" },
};

static void test_mounts(void **state)
{
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		struct ntsign_proc_mount mount;
		char line[256];

		print_message("%s\n", mounts[i].line);
		(void)snprintf(line, sizeof(line), "%s", mounts[i].line);
		if (mounts[i].point == NULL) {
			assert_false(ntsign_proc_parse_mount(line, &mount));
			continue;
		}
		assert_true(ntsign_proc_parse_mount(line, &mount));
		assert_string_equal(mount.point, mounts[i].point);
		assert_int_equal(mount.read_only, mounts[i].read_only);
	}
}

static void test_labels(void **state)
{
	static const struct {
		const char *text;
		const char *label;
	} labels[] = {
		{ "smbd (enforce)\n", "smbd" },
		{ "/usr/sbin/smbd//&a b (enforce)", "/usr/sbin/smbd//&a b" },
		{ "smbd (complain)\n", NULL },
		{ "unconfined\n", NULL },
		{ "system_u:system_r:smbd_t:s0", NULL },
		{ " (enforce)\n", NULL },
		{ "\nsmbd (enforce)", NULL },
		{ "", NULL },
	};
	size_t i;

	for (i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
		char text[64];
		const char *label = NULL;

		(void)snprintf(text, sizeof(text), "%s", labels[i].text);
		label = ntsign_proc_parse_label(text);
		if (labels[i].label == NULL) {
			assert_null(label);
		} else {
			assert_non_null(label);
			assert_string_equal(label, labels[i].label);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
