/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/harvest.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

/** How many names people are shown, and how much of each. */
#define NAMES_SHOWN 3
#define NAME_SHOWN 60

/** What harvest_lost() gathers. */
struct lost {
	json_t *named;
	bool failed;
};

void harvest_clear(struct harvest *h)
{
	json_decref(h->named);
	*h = (struct harvest){0};
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return (mode & S_ISUID) != 0 ? "setuid" : "setgid";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	case S_IFBLK: return "block device";
	case S_IFCHR: return "character device";
	default: return "unknown";
	}
}

static void note_lost(void *arg, const char *path, mode_t mode)
{
	struct lost *l = arg;

	if (json_array_size(l->named) == HARVEST_NAMED)
		return;
	json_t *one = json_pack("{s:o, s:s}", "path", json_bytes(path, strlen(path)), "type", type_name(mode));
	if (json_array_append_new(l->named, one) < 0)
		l->failed = true;
}

static int snapshot(struct store *store, int dirfd, struct lost *lost, struct harvest *ret, struct err *err)
{
	const struct snapshot_options opt = { .form = TREE_SOURCE, .skip_odd = true, .lost = note_lost, .lost_arg = lost };
	auto_tree_builder tree = NULL;
	struct snapshot_stats stats;
	struct digest digest;

	if (tree_builder_new(&tree, err) < 0 || store_snapshot(store, dirfd, &opt, tree, &stats, err) < 0)
		return err->sys == EACCES ? err_ctx(err, "a step must leave all readable to its own user (chmod u+rX)") : -1;
	if (store_put_tree(store, tree, &digest, err) < 0)
		return -1;
	*ret = (struct harvest){ .tree = digest, .odd = stats.odd, .setid = stats.setid };
	return 0;
}

int harvest(struct store *store, int dirfd, struct harvest *ret, struct err *err)
{
	auto_json named = json_array();
	struct lost lost = { .named = named, .failed = named == NULL };
	struct harvest h;

	if (snapshot(store, dirfd, &lost, &h, err) < 0)
		return -1;
	if (lost.failed)
		return err_set(err, ERR_INTERNAL, ENOMEM, "note what was not kept");
	h.named = move_ptr(named);
	*ret = h;
	return 0;
}

int harvest_add_json(json_t *account, const struct harvest *h, struct err *err)
{
	char tree[DIGEST_STR_SIZE];

	if (json_object_set_new(account, "tree", json_string(digest_str(&h->tree, tree))) < 0 ||
	    json_object_set_new(account, "specialFilesDropped", json_integer((json_int_t)h->odd)) < 0 ||
	    json_object_set_new(account, "setIdCleared", json_integer((json_int_t)h->setid)) < 0 ||
	    json_object_set(account, "notKept", h->named) < 0)
		return err_set(err, ERR_INTERNAL, ENOMEM, "account for an output");
	return 0;
}

/** @p path is as JSON has it: printable. */
static void add_name(struct buf *out, const char *path, const char *type)
{
	buf_addc(out, '\'');
	text_brief(out, path, strlen(path), NAME_SHOWN);
	buf_addf(out, "' (%s)", type);
}

void harvest_text(struct buf *out, const struct harvest *h)
{
	size_t i;
	json_t *one;

	if (h->odd > 0)
		buf_addf(out, "%" PRIu64 " special file%s left out", h->odd, h->odd == 1 ? " was" : "s were");
	if (h->setid > 0)
		buf_addf(out, "%s%" PRIu64 " setuid or setgid file%s plain", h->odd > 0 ? ", " : "", h->setid, h->setid == 1 ? " is now" : "s are now");
	json_array_foreach(h->named, i, one) {
		if (i < NAMES_SHOWN) {
			buf_adds(out, i == 0 ? ": " : ", ");
			add_name(out, json_str(one, "path"), json_str(one, "type"));
		}
	}
	if (h->odd + h->setid > NAMES_SHOWN)
		buf_adds(out, ", ...");
}
