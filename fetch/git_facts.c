/* SPDX-License-Identifier: Apache-2.0 */
/* What branches and tags name, and what a checkout says of itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fetch/git_repo.h"
#include "fetch/semver.h"

/** Largest answer of git ls-remote to a question for three refs. */
#define LS_REMOTE_MAX (64u << 10)
/** Most tags that name a tag. */
#define PEEL_MAX 8

/** Objects of somebody's repository, through one of ours; opened when the first is wanted. */
struct lender {
	struct git_work *work;
	const struct git_place *place;
	struct git_objects *objects;   /**< NULL: not yet */
};

static void lender_clear(struct lender *l)
{
	if (l->objects != NULL)
		git_objects_close(l->objects);
	free(l->objects);
	l->objects = NULL;
}
#define auto_lender __attribute__((cleanup(lender_clear))) struct lender

static int lender_open(struct lender *l, const struct git_name *like, struct err *err)
{
	auto_git_origin origin = {0};
	auto_free char *path = NULL;

	if (l->objects != NULL)
		return 0;
	struct git_objects *o = calloc(1, sizeof *o);
	if (o == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read objects");
	o->child = GIT_CHILD_NONE;
	if (git_origin_of(l->work, l->place, l->place->objects, &origin, err) < 0 ||
	    git_repo_make(l->work, like, &origin, &path, err) < 0 ||
	    git_objects_open(l->work, path, origin.read_all, o, err) < 0) {
		free(o);
		return -1;
	}
	l->objects = o;
	return 0;
}

/** From an object's name to the commit that it is, or names as a tag. @return 1, 0: it is neither, -1. */
static int peel(struct lender *l, struct git_name *name, struct err *err)
{
	char is[GIT_TYPE_SIZE];
	const char *type;
	uint64_t size;

	for (int i = 0; i < PEEL_MAX; i++) {
		auto_buf text = {0};

		if (lender_open(l, name, err) < 0 || git_objects_ask(l->objects, name, is, &size, err) < 0)
			return -1;
		/* Its content is still to come, and not wanted. */
		lender_clear(l);
		if (strcmp(is, "tag") != 0)
			return strcmp(is, "commit") == 0;
		if (lender_open(l, name, err) < 0 || git_objects_get(l->objects, name, "tag", GIT_TEXT_MAX, &text, err) < 0 ||
		    git_tag_parse(text.data, text.len, strlen(name->hex), name, &type, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- refs ------------------------------------------------------------------------- */

/** What a branch's or tag's name may mean. */
enum { AS_GIVEN, AS_BRANCH, AS_TAG, MEANINGS };

/** The names to look for; NULL: not one. Freed by the caller, each. */
static int meanings(const char *ref, char *names[MEANINGS], struct err *err)
{
	bool whole = text_starts(ref, "refs/");

	names[AS_GIVEN] = whole ? strdup(ref) : NULL;
	if ((whole && names[AS_GIVEN] == NULL) || (!whole && (asprintf(&names[AS_BRANCH], "refs/heads/%s", ref) < 0 ||
							      asprintf(&names[AS_TAG], "refs/tags/%s", ref) < 0)))
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for a ref");
	return 0;
}

static int local_refs(struct git_work *work, const struct git_place *place, char *const names[MEANINGS],
		      struct git_name found[MEANINGS], struct err *err)
{
	const struct ident *id = store_ident(work->store);
	auto_lender l = { .work = work, .place = place };
	int result = 0;

	if (ident_read_begin(id, err) < 0)
		return -1;
	for (int i = 0; i < MEANINGS && result >= 0; i++)
		if (names[i] != NULL)
			result = git_place_ref(place, names[i], &found[i], err);
	if (ident_read_done(id, result < 0 ? -1 : 0, err) < 0)
		return -1;
	for (int i = 0; i < MEANINGS; i++)
		if (found[i].hex[0] != '\0' && (result = peel(&l, &found[i], err)) <= 0)
			return result < 0 ? -1 : err_set(err, ERR_INPUT, 0, "'%.300s' names no commit", names[i]);
	return 0;
}

/** Takes one line of git ls-remote, "NAME TAB REF"; what a tag peels to stands behind the tag. */
static void take_remote(char *line, char *const names[MEANINGS], struct git_name found[MEANINGS])
{
	char *tab = strchr(line, '\t');
	struct git_name name;

	if (tab == NULL || !git_name_parse(line, (size_t)(tab - line), &name))
		return;
	size_t n = strlen(tab + 1);
	if (n > 3 && strcmp(tab + 1 + n - 3, "^{}") == 0)
		tab[1 + n - 3] = '\0';
	for (int i = 0; i < MEANINGS; i++)
		if (names[i] != NULL && strcmp(names[i], tab + 1) == 0)
			found[i] = name;
}

static int remote_refs(struct git_work *work, const struct git_origin *origin, char *const names[MEANINGS],
		       struct git_name found[MEANINGS], struct err *err)
{
	static const struct git_name any = { "0000000000000000000000000000000000000000" };
	const char *args[10] = { "ls-remote", "--quiet", "--", origin->url };
	auto_buf out = BUF_LIMIT(LS_REMOTE_MAX);
	auto_free char *repo = NULL;
	size_t n = 4;

	for (int i = 0; i < MEANINGS; i++)
		if (names[i] != NULL)
			args[n++] = names[i];
	auto_free char *peeled = NULL;
	if (asprintf(&peeled, "%s^{}", names[names[AS_GIVEN] != NULL ? AS_GIVEN : AS_TAG]) < 0) {
		peeled = NULL;
		return err_set(err, ERR_INTERNAL, ENOMEM, "look for a ref");
	}
	args[n++] = peeled;
	if (git_repo_make(work, &any, NULL, &repo, err) < 0)
		return -1;
	const struct git_child_conf conf = {
		.id = store_ident(work->store), .net = work->net, .args = args, .git_dir = repo, .network = true,
		.protocols = text_starts(origin->url, "https:") ? "https" : "http",
	};
	if (git_child_run(&conf, &out, err) < 0)
		return -1;
	for (char *next = out.data, *line; next != NULL && (line = strsep(&next, "\n")) != NULL; )
		take_remote(line, names, found);
	return 0;
}

static int find_ref(struct git_work *work, const struct fetch_git *from, char *const names[MEANINGS], struct git_name found[MEANINGS],
		    struct err *err)
{
	const struct ident *id = store_ident(work->store);
	auto_git_origin origin = {0};
	auto_git_place place = GIT_PLACE_NONE;

	if (git_origin_open(work, from->dirfd, from->url, &origin, err) < 0)
		return -1;
	if (!origin.local)
		return remote_refs(work, &origin, names, found, err);
	if (ident_read_begin(id, err) < 0 ||
	    ident_read_done(id, git_place_open(AT_FDCWD, origin.url, &place, err), err) < 0)
		return -1;
	return local_refs(work, &place, names, found, err);
}

int fetch_git_ref(struct store *store, const struct fetch_net *net, const struct fetch_git *from, const char *ref,
		  char ret[FETCH_COMMIT_SIZE], struct err *err)
{
	auto_git_work work = {0};
	char *names[MEANINGS] = {0};
	struct git_name found[MEANINGS] = {0};
	const struct git_name *one = NULL;
	int result = meanings(ref, names, err);

	if (result == 0)
		result = git_work_begin(store, net, &work, err);
	if (result == 0)
		result = find_ref(&work, from, names, found, err);
	for (int i = 0; i < MEANINGS; i++)
		free(names[i]);
	if (result < 0)
		return err_ctx(err, "ref '%.200s' of %.300s", ref, from->url);
	if (found[AS_BRANCH].hex[0] != '\0' && found[AS_TAG].hex[0] != '\0')
		return err_set(err, ERR_INPUT, 0, "%.300s has a branch and a tag '%.200s': write refs/heads/… or refs/tags/…", from->url, ref);
	for (int i = 0; i < MEANINGS; i++)
		one = found[i].hex[0] != '\0' ? &found[i] : one;
	if (one == NULL)
		return err_set(err, ERR_INPUT, 0, "%.300s has no branch or tag '%.200s'", from->url, ref);
	strcpy(ret, one->hex);
	return 0;
}

/* ---- a checkout's facts ------------------------------------------------------------ */

/** Version tags, and what they name. */
struct versions {
	struct git_name names[256];
	char tags[256][SEMVER_MAX + 1];
	size_t n;
};

static int take_tag(void *arg, const char *tag, const struct git_name *name, struct err *err)
{
	struct versions *v = arg;

	if (tag[0] != 'v' || !semver_ok(tag + 1))
		return 0;
	for (size_t i = 0; i < v->n; i++)
		/* The loose one came first, and is the one that counts. */
		if (strcmp(v->tags[i], tag + 1) == 0)
			return 0;
	if (v->n == ARRAY_LEN(v->tags))
		return err_set(err, ERR_INPUT, 0, "it has more than %zu version tags: write the version out", ARRAY_LEN(v->tags));
	v->names[v->n] = *name;
	strcpy(v->tags[v->n++], tag + 1);
	return 0;
}

/** The highest version whose tag names @p head; empty where none does. */
static int find_version(struct lender *l, struct versions *v, const struct git_name *head, char ret[SEMVER_MAX + 1], struct err *err)
{
	const char *found = "";

	for (size_t i = 0; i < v->n; i++) {
		if (strcmp(v->names[i].hex, head->hex) != 0 && peel(l, &v->names[i], err) < 0)
			return -1;
		if (strcmp(v->names[i].hex, head->hex) == 0 && (found[0] == '\0' || semver_compare(v->tags[i], found) > 0))
			found = v->tags[i];
	}
	strcpy(ret, found);
	return 0;
}

/** Whether the branch main, or what origin's was when it was fetched last, is at @p head: a checkout made by a machine is often on no
 *  branch at all. */
static int find_main(const struct git_place *place, const struct git_name *head, bool *ret, struct err *err)
{
	static const char *const refs[] = { "refs/heads/main", "refs/remotes/origin/main" };

	*ret = false;
	for (size_t i = 0; i < ARRAY_LEN(refs) && !*ret; i++) {
		struct git_name name = {0};

		if (git_place_ref(place, refs[i], &name, err) < 0)
			return -1;
		*ret = strcmp(name.hex, head->hex) == 0;
	}
	return 0;
}

/** @p v, @p is_main NULL: not asked for. */
static int read_refs(int dirfd, struct git_place *place, struct git_name *head, struct versions *v, bool *is_main, struct err *err)
{
	if (git_place_search(dirfd, place, err) < 0)
		return -1;
	int there = git_place_ref(place, "HEAD", head, err);
	if (there <= 0)
		return there < 0 ? -1 : err_set(err, ERR_INPUT, 0, "it has no commit yet, or keeps its refs in a way that is not known here");
	if (is_main != NULL && find_main(place, head, is_main, err) < 0)
		return -1;
	return v == NULL ? 0 : git_place_tags(place, take_tag, v, err);
}

static int read_facts(struct git_work *work, int dirfd, struct versions *v, bool main, struct fetch_git_facts *ret, struct err *err)
{
	const struct ident *id = store_ident(work->store);
	auto_git_place place = GIT_PLACE_NONE;
	auto_lender l = { .work = work, .place = &place };
	struct fetch_git_facts facts = {0};
	struct git_name head = {0};
	struct git_commit commit;
	auto_buf text = {0};

	if (ident_read_begin(id, err) < 0 || ident_read_done(id, read_refs(dirfd, &place, &head, v, main ? &facts.is_main : NULL, err),
						       err) < 0)
		return -1;
	if (lender_open(&l, &head, err) < 0 || git_objects_get(l.objects, &head, "commit", GIT_TEXT_MAX, &text, err) < 0 ||
	    git_commit_parse(text.data == NULL ? "" : text.data, text.len, strlen(head.hex), &commit, err) < 0 ||
	    (v != NULL && find_version(&l, v, &head, facts.semver, err) < 0))
		return -1;
	strcpy(facts.commit, head.hex);
	facts.time = commit.time;
	*ret = facts;
	return 0;
}

int fetch_git_facts(struct store *store, const struct fetch_net *net, int dirfd, unsigned ask, struct fetch_git_facts *ret,
		    struct err *err)
{
	auto_git_work work = {0};
	bool version = (ask & FETCH_GIT_VERSION) != 0;
	auto_free struct versions *v = version ? calloc(1, sizeof *v) : NULL;

	if (version && v == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a checkout");
	if (git_work_begin(store, net, &work, err) < 0)
		return -1;
	return read_facts(&work, dirfd, v, (ask & FETCH_GIT_MAIN) != 0, ret, err) < 0 ? err_ctx(err, "git") : 0;
}
