/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/document.h"

#include <errno.h>
#include <string.h>

#include "oci/utf8.h"

/** Last second that RFC 3339 can write: 9999-12-31T23:59:59Z. */
#define CREATED_MAX 253402300799ll
#define TAG_MAX 255

#if defined __x86_64__
#define ARCHITECTURE "amd64"
#elif defined __aarch64__
#define ARCHITECTURE "arm64"
#elif defined __arm__
#define ARCHITECTURE "arm"
#elif defined __i386__
#define ARCHITECTURE "386"
#elif defined __riscv && __riscv_xlen == 64
#define ARCHITECTURE "riscv64"
#elif defined __powerpc64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE "ppc64le"
#elif defined __s390x__
#define ARCHITECTURE "s390x"
#elif defined __loongarch64
#define ARCHITECTURE "loong64"
#else
#error "oci/: no GOARCH name known for this machine"
#endif

const char *oci_architecture(void)
{
	return ARCHITECTURE;
}

static const char *const layer_media[] = {
	[OCI_GZIP] = MEDIA_LAYER_GZIP, [OCI_ZSTD] = MEDIA_LAYER_ZSTD, [OCI_NONE] = MEDIA_LAYER_TAR,
};

const char *document_layer_media(enum oci_compression codec)
{
	return layer_media[codec];
}

bool document_layer_codec(const char *media_type, enum oci_compression *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(layer_media); i++)
		if (strcmp(media_type, layer_media[i]) == 0) {
			*ret = (enum oci_compression)i;
			return true;
		}
	return false;
}

static size_t alnum_run(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}

bool document_is_tag(const char *tag)
{
	const char *s = tag;

	/* image-spec, annotations: alphanum runs, between them "--" or one of -._:@/+ */
	for (;;) {
		size_t n = alnum_run(s);

		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return s - tag <= TAG_MAX;
		if (strchr("-._:@/+", *s) == NULL)
			return false;
		s += strncmp(s, "--", 2) == 0 ? 2 : 1;
	}
}

/** Whether @p text can stand in JSON; ERR_USAGE names it by @p what and @p name. */
static int check_text(const char *text, const char *what, const char *name, struct err *err)
{
	if (!utf8_valid(text, strlen(text)))
		return err_set(err, ERR_USAGE, 0, "image config: %s%s is not valid UTF-8, and JSON can hold no other text",
			       what, name);
	return 0;
}

static int check_list(const char *const *list, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (check_text(list[i], what, "", err) < 0)
			return -1;
	return 0;
}

/** Names and values of environment variables or labels. */
static int check_pairs(const struct oci_kv *kv, size_t n, const char *what, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (check_text(kv[i].name, what, "'s name", err) < 0 || check_text(kv[i].value, what, kv[i].name, err) < 0)
			return -1;
		if (kv[i].name[0] == '\0')
			return err_set(err, ERR_USAGE, 0, "image config: %sa name is empty", what);
		for (size_t k = 0; k < i; k++)
			if (strcmp(kv[i].name, kv[k].name) == 0)
				return err_set(err, ERR_USAGE, 0, "image config: %s%s is given twice", what, kv[i].name);
	}
	return 0;
}

static int check_config(const struct oci_config *c, struct err *err)
{
	if (c->created < 0 || c->created > CREATED_MAX)
		return err_set(err, ERR_USAGE, 0, "image config: the time %lld is outside 1970 to 9999", (long long)c->created);
	for (size_t i = 0; i < c->nenv; i++)
		if (strchr(c->env[i].name, '=') != NULL)
			return err_set(err, ERR_USAGE, 0, "image config: environment variable '%s' has '=' in its name",
				       c->env[i].name);
	if (check_pairs(c->env, c->nenv, "environment variable ", err) < 0 ||
	    check_pairs(c->labels, c->nlabels, "label ", err) < 0 ||
	    check_list(c->entrypoint, c->nentrypoint, "entrypoint", err) < 0 ||
	    check_list(c->cmd, c->ncmd, "cmd", err) < 0 ||
	    check_text(c->architecture, "architecture", "", err) < 0 ||
	    check_text(c->user != NULL ? c->user : "", "user", "", err) < 0)
		return -1;
	return check_text(c->workdir != NULL ? c->workdir : "", "working directory", "", err);
}

/*
 * Builders below return a new reference, or NULL when memory is short: text has
 * been checked. json_object_set_new() and json_array_append_new() take a NULL
 * value as failure, which makes the chains safe.
 */

static json_t *digest_json(const struct digest *d)
{
	char text[DIGEST_STR_SIZE];

	return json_string(digest_str(d, text));
}

static json_t *list_json(const char *const *list, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, json_string(list[i])) < 0)
			return NULL;
	return move_ptr(array);
}

static json_t *env_json(const struct oci_kv *env, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, json_sprintf("%s=%s", env[i].name, env[i].value)) < 0)
			return NULL;
	return move_ptr(array);
}

static json_t *labels_json(const struct oci_kv *labels, size_t n)
{
	auto_json object = json_object();

	for (size_t i = 0; i < n; i++)
		if (json_object_set_new(object, labels[i].name, json_string(labels[i].value)) < 0)
			return NULL;
	return move_ptr(object);
}

/** The member "config": how to run the image. What is not set is absent. */
static json_t *run_json(const struct oci_config *c)
{
	auto_json o = json_object();

	if ((c->user != NULL && json_object_set_new(o, "User", json_string(c->user)) < 0) ||
	    (c->workdir != NULL && json_object_set_new(o, "WorkingDir", json_string(c->workdir)) < 0) ||
	    (c->nenv != 0 && json_object_set_new(o, "Env", env_json(c->env, c->nenv)) < 0) ||
	    (c->nentrypoint != 0 && json_object_set_new(o, "Entrypoint", list_json(c->entrypoint, c->nentrypoint)) < 0) ||
	    (c->ncmd != 0 && json_object_set_new(o, "Cmd", list_json(c->cmd, c->ncmd)) < 0) ||
	    (c->nlabels != 0 && json_object_set_new(o, "Labels", labels_json(c->labels, c->nlabels)) < 0))
		return NULL;
	return move_ptr(o);
}

static json_t *rootfs_json(const struct oci_layer_file *layers, size_t n)
{
	auto_json o = json_pack("{s:s, s:[]}", "type", "layers", "diff_ids");
	json_t *ids = json_object_get(o, "diff_ids");

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(ids, digest_json(&layers[i].blob.diff_id)) < 0)
			return NULL;
	return move_ptr(o);
}

static json_t *history_json(const char *created, const struct oci_layer_file *layers, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, json_pack("{s:s, s:s*}", "created", created,
							   "created_by", layers[i].created_by)) < 0)
			return NULL;
	return move_ptr(array);
}

/** Canonical text of @p j, which NULL stands for short memory. */
static int write_out(const json_t *j, struct buf *out, struct err *err)
{
	if (j == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "image documents");
	if (json_canonical(j, out, err) < 0)
		return -1;
	if (buf_check(out, "image documents", err) < 0)
		return -1;
	if (out->len > OCI_JSON_MAX)
		return err_set(err, ERR_USAGE, 0, "image documents: larger than the limit of %u bytes", OCI_JSON_MAX);
	return 0;
}

int document_config(const struct oci_config *config, const struct oci_layer_file *layers, size_t nlayers,
		    struct buf *out, struct err *err)
{
	char created[32];

	if (check_config(config, err) < 0)
		return -1;
	for (size_t i = 0; i < nlayers; i++)
		if (check_text(layers[i].created_by != NULL ? layers[i].created_by : "", "history", "", err) < 0)
			return -1;
	text_time(config->created, created);
	auto_json o = json_object();
	if (json_object_set_new(o, "architecture", json_string(config->architecture)) < 0 ||
	    json_object_set_new(o, "os", json_string("linux")) < 0 ||
	    json_object_set_new(o, "created", json_string(created)) < 0 ||
	    json_object_set_new(o, "config", run_json(config)) < 0 ||
	    json_object_set_new(o, "rootfs", rootfs_json(layers, nlayers)) < 0 ||
	    json_object_set_new(o, "history", history_json(created, layers, nlayers)) < 0)
		return write_out(NULL, out, err);
	return write_out(o, out, err);
}

static json_t *descriptor_json(const struct descriptor *d)
{
	auto_json o = json_pack("{s:s, s:I}", "mediaType", d->media_type, "size", (json_int_t)d->size);

	return json_object_set_new(o, "digest", digest_json(&d->digest)) < 0 ? NULL : move_ptr(o);
}

static json_t *descriptors_json(const struct descriptor *d, size_t n)
{
	auto_json array = json_array();

	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(array, descriptor_json(&d[i])) < 0)
			return NULL;
	return move_ptr(array);
}

int document_manifest(const struct descriptor *config, const struct descriptor *layers, size_t nlayers,
		      struct buf *out, struct err *err)
{
	auto_json o = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", MEDIA_MANIFEST);

	if (json_object_set_new(o, "config", descriptor_json(config)) < 0 ||
	    json_object_set_new(o, "layers", descriptors_json(layers, nlayers)) < 0)
		return write_out(NULL, out, err);
	return write_out(o, out, err);
}

int document_index(const struct descriptor *manifest, const char *architecture, const char *tag,
		   struct buf *out, struct err *err)
{
	auto_json o = json_pack("{s:i, s:s}", "schemaVersion", 2, "mediaType", MEDIA_INDEX);
	auto_json list = descriptors_json(manifest, 1);
	json_t *entry = json_array_get(list, 0);

	if (json_object_set_new(entry, "platform",
				json_pack("{s:s, s:s}", "architecture", architecture, "os", "linux")) < 0 ||
	    (tag != NULL && json_object_set_new(entry, "annotations",
						json_pack("{s:s}", ANNOTATION_REF_NAME, tag)) < 0) ||
	    json_object_set(o, "manifests", list) < 0)
		return write_out(NULL, out, err);
	return write_out(o, out, err);
}
