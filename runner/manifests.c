/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/manifests.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

void manifests_clear(struct manifests *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->v[i].name);
	free(m->v);
	*m = (struct manifests){0};
}

static int add(struct manifests *m, const char *prefix, const char *name, const struct digest *tree, struct err *err)
{
	struct manifest *one = &m->v[m->n];

	if (asprintf(&one->name, MANIFESTS_DIR "%s%s.mtree", prefix, name) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the manifests");
	one->tree = *tree;
	m->n++;
	return 0;
}

int manifests_of(const struct plan *plan, const struct digest *output, struct manifests *ret, struct err *err)
{
	const struct spec *spec = plan->spec;
	auto_manifests m = { .v = calloc(spec->nsources + 2, sizeof *m.v) };

	if (m.v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "list the manifests");
	if (add(&m, "", "rootfs", &plan->rootfs, err) < 0)
		return -1;
	for (size_t i = 0; i < spec->nsources; i++)
		if (spec->sources[i].url == NULL && add(&m, "source-", spec->sources[i].name, &plan->sources[i].tree, err) < 0)
			return -1;
	if (add(&m, "", "output", output, err) < 0)
		return -1;
	*ret = m;
	m = (struct manifests){0};
	return 0;
}

int manifests_write(const struct manifests *m, struct store *store, struct outdir *out, struct err *err)
{
	for (size_t i = 0; i < m->n; i++) {
		auto_fd fd = -1;
		struct stat st;

		if (store_open_tree(store, &m->v[i].tree, &fd, err) < 0)
			return -1;
		if (fstat(fd, &st) < 0)
			return err_set(err, ERR_INTERNAL, errno, "write '%s'", m->v[i].name);
		if (outdir_copy_tree(out, text_path_name(m->v[i].name), fd, (uint64_t)st.st_size, err) < 0)
			return err_ctx(err, "write '%s'", m->v[i].name);
	}
	return 0;
}
