/* SPDX-License-Identifier: Apache-2.0 */
#include "inspect/listing.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

void listing_clear(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].link);
	}
	free(l->v);
	*l = (struct listing){ .dir = -1 };
}

static int short_memory(struct err *err)
{
	return err_set(err, ERR_INTERNAL, ENOMEM, "list members");
}

int listing_add(struct listing *l, const struct member *m, struct err *err)
{
	if (l->n >= LISTING_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %u members", LISTING_MAX);
	l->name_bytes += strlen(m->path) + (m->link != NULL ? strlen(m->link) : 0);
	if (l->name_bytes > LISTING_NAMES_MAX)
		return err_set(err, ERR_INPUT, 0, "more than %u bytes of names", LISTING_NAMES_MAX);
	if (!array_room(&l->v, l->n, &l->room))
		return short_memory(err);
	struct member *to = &l->v[l->n];
	*to = *m;
	to->index = l->n;
	to->path = strdup(m->path);
	to->link = m->link != NULL ? strdup(m->link) : NULL;
	l->n++;
	return to->path == NULL || (m->link != NULL && to->link == NULL) ? short_memory(err) : 0;
}
