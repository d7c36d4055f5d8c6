/* SPDX-License-Identifier: Apache-2.0 */
/* The receiver's end. */
#include "fetch/git_wire.h"

#include <string.h>

static bool makes_sense(const struct git_wire *w)
{
	bool file = w->kind == GIT_FILE || w->kind == GIT_PROGRAM, link = w->kind == GIT_LINK, module = w->kind == GIT_SUBMODULE;
	struct git_name name;

	return (file || link || module || w->kind == GIT_DIR) && w->path_len > 0 && w->path_len <= TREE_PATH_MAX &&
	       w->more_len <= (link || module ? TREE_LINK_MAX : 0) && (!link || w->more_len > 0) && w->size <= (file ? GIT_BYTES_MAX : 0) &&
	       (!module || git_name_parse(w->object.hex, strnlen(w->object.hex, sizeof w->object.hex), &name));
}

int git_row_next(struct answer *a, struct git_row *ret, struct err *err)
{
	struct git_wire w;
	int more = answer_more(a, err);

	if (more <= 0)
		return more;
	if (answer_take(a, &w, sizeof w, err) < 0)
		return -1;
	if (!makes_sense(&w))
		return answer_nonsense(a, err);
	if (answer_string(a, ret->path, w.path_len, err) < 0 || answer_string(a, ret->more, w.more_len, err) < 0)
		return -1;
	ret->kind = (enum git_kind)w.kind;
	ret->size = w.size;
	ret->object = w.object;
	return 1;
}

int git_row_sound(struct answer *a, struct err *err)
{
	char c;

	if (answer_take(a, &c, 1, err) < 0)
		return -1;
	return c == GIT_WIRE_SOUND ? 0 : answer_nonsense(a, err);
}
