/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what a source says is to be left out. The input is four texts with a byte 255 after each: a pattern of `exclude`, the .gitignore of the root, that of
 * directory d, and a path. Promise under test: no crash, no leak, no long time; a path's name in which each byte is escaped matches that name; what is said
 * of a path above a directory is said again when that directory is left.
 */
#include <stdlib.h>
#include <string.h>

#include "fetch/glob.h"
#include "fetch/ignore.h"
#include "tests/fuzz/fuzz.h"

enum { EXCLUDE, ROOT, INNER, PATH, TEXTS };

/** Every byte escaped: nothing in it means anything. */
static void try_glob(const char *pattern, const char *text)
{
	auto_buf escaped = {0};
	struct glob *g = glob_new(pattern, strlen(pattern));

	MUST(g != NULL);
	(void)glob_match(g, text);
	glob_free(g);
	for (const char *p = text; *p != '\0'; p++)
		buf_addf(&escaped, "\\%c", *p);
	if (escaped.len == 0 || escaped.len > GLOB_PATTERN_MAX)
		return;
	g = glob_new(escaped.data, escaped.len);
	MUST(g != NULL && glob_match(g, text));
	glob_free(g);
}

static void try_ignore(char *const texts[], const size_t sizes[])
{
	const char *const exclude[] = { texts[EXCLUDE], NULL };
	auto_ignore ig = NULL;
	struct err err = {0};
	bool has[2];

	if (ignore_new(exclude, &ig, &err) < 0 || ignore_enter(ig, ".", texts[ROOT], sizes[ROOT], &err) < 0) {
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
		return;
	}
	for (int dir = 0; dir < 2; dir++)
		has[dir] = ignore_has(ig, texts[PATH], dir);
	if (ignore_enter(ig, "d", texts[INNER], sizes[INNER], &err) < 0) {
		MUST(err.kind == ERR_INPUT && err.msg[0] != '\0');
		return;
	}
	(void)ignore_has(ig, "d/x", false);
	ignore_leave(ig);
	for (int dir = 0; dir < 2; dir++)
		MUST(ignore_has(ig, texts[PATH], dir) == has[dir]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *texts[TEXTS];
	size_t sizes[TEXTS], at = 0;
	char *all = malloc(size + TEXTS);

	MUST(all != NULL);
	memcpy(all, data, size);
	memset(all + size, 255, TEXTS);
	for (size_t i = 0; i < TEXTS; i++) {
		texts[i] = all + at;
		sizes[i] = (size_t)((char *)memchr(texts[i], 255, size + TEXTS - at) - texts[i]);
		texts[i][sizes[i]] = '\0';
		at += sizes[i] + 1;
	}
	if (texts[PATH][0] == '\0')
		texts[PATH] = (char[]){ "a" };
	try_glob(texts[EXCLUDE], texts[PATH]);
	try_ignore(texts, sizes);
	free(all);
	return 0;
}
