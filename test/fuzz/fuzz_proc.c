/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: lines of /proc/PID/maps and mountinfo, and labels.
 *
 * Invariant: what a parser hands out lies in its line.
 */
#include <stdlib.h>
#include <string.h>

#include "source/tool/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *line_of(const uint8_t *data, size_t size)
{
	char *line = malloc(size + 1);

	if (line == NULL) {
		abort();
	}
	memcpy(line, data, size);
	line[size] = '\0';
	return line;
}

static void inside(const char *text, const char *line, size_t size)
{
	if (text == NULL || text < line ||
	    text + strlen(text) > line + size) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ntsign_proc_map map;
	struct ntsign_proc_mount mount;
	char *line = line_of(data, size);
	const char *label = NULL;

	if (ntsign_proc_parse_map(line, &map)) {
		inside(map.range, line, size);
		inside(map.path, line, size);
		if (map.path[0] != '/' || strchr(map.range, '-') == NULL) {
			abort();
		}
	}
	free(line);
	line = line_of(data, size);
	if (ntsign_proc_parse_mount(line, &mount)) {
		inside(mount.root, line, size);
		inside(mount.point, line, size);
	}
	free(line);
	line = line_of(data, size);
	label = ntsign_proc_parse_label(line);
	if (label != NULL) {
		inside(label, line, size);
	}
	free(line);
	return 0;
}
