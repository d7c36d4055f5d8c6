/* SPDX-License-Identifier: Apache-2.0 */
/* What branches and tags name, and what a checkout says of itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fetch/git_read.h"
#include "fetch/git_repo.h"
#include "fetch/semver.h"

/** Largest answer of git ls-remote to a question for three refs. */
#define LS_REMOTE_MAX (64u << 10)

/** git_read_peel() of objects in somebody's repository, through one of ours. */
static int peel(struct git_work *work, const struct git_place *place, const struct git_name *names, size_t n, bool timed,
		struct git_peeled *ret, struct err *err)
{
	auto_git_child git = GIT_CHILD_NONE;
	auto_git_origin origin = {0};
	auto_free char *path = NULL;

	if (n == 0)
		return 0;
	if (git_origin_of(work, place, place->objects, &origin, err) < 0 || git_repo_make(work, &names[0], &origin, &path, err) < 0 ||
	    git_repo_serve(work, path, origin.read_all, &git, err) < 0)
		return -1;
	return git_read_peel(&git, names, n, timed, ret, err);
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

static int local_refs(struct git_work *work, struct git_place *place, char *const names[MEANINGS], struct git_name found[MEANINGS],
		      struct err *err)
{
	const struct ident *id = store_ident(work->store);
	struct git_name asked[MEANINGS];
	struct git_peeled peeled[MEANINGS];
	size_t n = 0;
	int result = 0;

	if (ident_read_begin(id, err) < 0)
		return -1;
	for (int i = 0; i < MEANINGS && result >= 0; i++)
		if (names[i] != NULL)
			result = git_place_ref(place, names[i], &found[i], err);
	if (ident_read_done(id, result < 0 ? -1 : 0, err) < 0)
		return -1;
	for (int i = 0; i < MEANINGS; i++)
		if (found[i].hex[0] != '\0')
			asked[n++] = found[i];
	if (peel(work, place, asked, n, false, peeled, err) < 0)
		return -1;
	for (int i = MEANINGS - 1; i >= 0; i--)
		if (found[i].hex[0] != '\0') {
			found[i] = peeled[--n].commit;
			if (found[i].hex[0] == '\0')
				return err_set(err, ERR_INPUT, 0, "'%.300s' names no commit", names[i]);
		}
	return 0;
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
	return git_read_remote(&out, names, MEANINGS, found, err);
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

/** The highest version whose tag names the first of @p commits, which is the checkout's own; empty where none does. */
static void find_version(const struct versions *v, const struct git_peeled *commits, char ret[SEMVER_MAX + 1])
{
	const char *found = "";

	for (size_t i = 0; i < v->n; i++)
		if (strcmp(commits[i + 1].commit.hex, commits[0].commit.hex) == 0 && (found[0] == '\0' || semver_compare(v->tags[i], found) > 0))
			found = v->tags[i];
	strcpy(ret, found);
}

/** Whether the branch main, or what origin's was when it was fetched last, is at @p head: a checkout made by a machine is often on no
 *  branch at all. */
static int find_main(struct git_place *place, const struct git_name *head, bool *ret, struct err *err)
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

/** All objects that are to be looked at, by one child. @p v NULL: no versions. */
static int read_objects(struct git_work *work, const struct git_place *place, const struct git_name *head, const struct versions *v,
			struct fetch_git_facts *facts, struct err *err)
{
	size_t n = 1 + (v == NULL ? 0 : v->n);
	auto_free struct git_name *names = calloc(n, sizeof *names);
	auto_free struct git_peeled *commits = calloc(n, sizeof *commits);

	if (names == NULL || commits == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "read a checkout");
	names[0] = *head;
	for (size_t i = 1; i < n; i++)
		names[i] = v->names[i - 1];
	if (peel(work, place, names, n, true, commits, err) < 0)
		return -1;
	if (strcmp(commits[0].commit.hex, head->hex) != 0)
		return err_set(err, ERR_INPUT, 0, "its HEAD %s is no commit", head->hex);
	facts->time = commits[0].time;
	if (v != NULL)
		find_version(v, commits, facts->semver);
	return 0;
}

static int read_facts(struct git_work *work, int dirfd, struct versions *v, bool main, struct fetch_git_facts *ret, struct err *err)
{
	const struct ident *id = store_ident(work->store);
	auto_git_place place = GIT_PLACE_NONE;
	struct fetch_git_facts facts = {0};
	struct git_name head = {0};

	if (ident_read_begin(id, err) < 0 || ident_read_done(id, read_refs(dirfd, &place, &head, v, main ? &facts.is_main : NULL, err),
						       err) < 0)
		return -1;
	if (read_objects(work, &place, &head, v, &facts, err) < 0)
		return -1;
	strcpy(facts.commit, head.hex);
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
