/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/above.h"

#include "base/base.h"

size_t above_floor(struct above *a, const char *path)
{
	while (a->n > 0 && !text_path_is_below(path, a->v[a->n - 1].path))
		a->n--;
	return a->n == 0 ? a->root : a->v[a->n - 1].floor;
}

void above_note(struct above *a, const char *path, size_t floor)
{
	if (a->n == ARRAY_LEN(a->v))
		return;
	a->v[a->n].path = path;
	a->v[a->n].floor = floor;
	a->n++;
}
