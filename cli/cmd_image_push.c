/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/registry.h"
#include "runner/publication.h"

/** Most repositories of --mount-from. */
#define MOUNTS_MAX 32

/** Opens image.tar, which is @p what or in it, and the directory that it lies in. */
static int open_image(const char *what, int *ret_fd, int *ret_dir, struct err *err)
{
	const char *slash = strrchr(what, '/'), *name = what;
	auto_free char *dir = NULL;
	struct stat st;

	if (stat(what, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "'%s'", what);
	if (S_ISDIR(st.st_mode)) {
		dir = strdup(what);
		name = "image.tar";
	} else {
		dir = slash == NULL ? strdup(".") : strndup(what, (size_t)(slash - what) + 1);
		name = text_path_name(what);
	}
	auto_fd dirfd = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_set(err, ERR_INPUT, dir == NULL ? ENOMEM : errno, "open the directory of '%s'", what);
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, ERR_INPUT, errno, "open '%s' of '%s'", name, what);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INPUT, 0, "'%s' of '%s' is not a regular file", name, what);
	*ret_fd = move_fd(&fd);
	*ret_dir = move_fd(&dirfd);
	return 0;
}

static int print_pushed(const struct args *args, const struct registry_ref *ref, const struct registry_pushed *p, size_t nattached,
			struct err *err)
{
	char digest[DIGEST_STR_SIZE];

	digest_str(&p->manifest, digest);
	if (args_has(args, "json")) {
		auto_json j = json_pack("{s:s, s:s, s:s, s:s?, s:I, s:I, s:I, s:I, s:b}", "image", digest, "host", ref->host, "repository",
					ref->path, "tag", ref->tag, "sent", (json_int_t)p->sent, "mounted", (json_int_t)p->mounted, "present",
					(json_int_t)p->present, "attached", (json_int_t)nattached, "fallbackTag", (int)p->fallback);

		return j == NULL ? err_set(err, ERR_INTERNAL, ENOMEM, "print JSON") : cli_print_json(j, err);
	}
	printf("image   %s/%s@%s\n", ref->host, ref->path, digest);
	if (ref->tag != NULL)
		printf("tag     %s\n", ref->tag);
	printf("blobs   %zu sent, %zu mounted, %zu there already\n", p->sent, p->mounted, p->present);
	if (nattached > 0)
		printf("with    %zu attached%s\n", nattached, p->fallback ? ", listed under a tag: the registry keeps no referrers" : "");
	return 0;
}

static int push(const struct args *args, const struct publication *p, const struct registry_ref *ref, struct err *err)
{
	auto_cli_registry registry = {0};
	struct registry_pushed pushed;
	const char *from[MOUNTS_MAX];
	size_t nfrom = 0;

	for (; args_nth(args, "mount-from", nfrom) != NULL; nfrom++) {
		if (nfrom == MOUNTS_MAX)
			return err_set(err, ERR_USAGE, 0, "--mount-from: more than %d repositories", MOUNTS_MAX);
		from[nfrom] = args_nth(args, "mount-from", nfrom);
	}
	auto_fd cancel = cli_catch_signals(err);
	if (cancel < 0 || cli_registry_open(args, cancel, NULL, &registry, err) < 0 ||
	    publication_send(p, &registry.conf, ref, from, nfrom, &pushed, err) < 0)
		return -1;
	return print_pushed(args, ref, &pushed, publication_attached(p), err);
}

static int run(const struct args *args, int *ret_code, struct err *err)
{
	auto_registry_ref ref = {0};
	auto_publication p = NULL;
	auto_fd fd = -1, dirfd = -1;

	(void)ret_code;
	if (registry_ref_parse(args->positional[1], &ref, err) < 0 || open_image(args->positional[0], &fd, &dirfd, err) < 0)
		return -1;
	if (publication_read(fd, args_has(args, "attestations") ? dirfd : -1, &p, err) < 0)
		return err_ctx(err, "'%s'", args->positional[0]);
	return push(args, p, &ref, err);
}

static const struct opt_def opts[] = {
	{ "attestations", NULL, "attach what lies beside the image: bundles, SBOMs" },
	{ "mount-from", "PATH", "a repository of the same registry that may have blobs already; may be given several times", true },
	OPT_REGISTRY_MAP, OPT_INSECURE_REGISTRY, OPT_JSON, OPT_HELP, OPT_END,
};

const struct command cmd_image_push = {
	"image push", "IMAGE_OR_OUT REPOSITORY[:TAG] [OPTION]…", "bring an image to a registry", opts, NULL, 2, 2, false, run,
};
