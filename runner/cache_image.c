/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/cache.h"

#include <errno.h>
#include <unistd.h>

#define IMAGE_KIND "image"

void cache_image_clear(struct cache_image *a)
{
	json_decref(a->key);
	*a = (struct cache_image){0};
}

static bool read_result(const json_t *result, const json_t *key, struct built_image *ret)
{
	const char *manifest = json_str(result, "manifest"), *tar = json_str(result, "tar");
	const json_t *size = json_object_get(result, "tarBytes");

	if (!json_equal(json_object_get(result, "key"), key) || manifest == NULL || tar == NULL || !json_is_integer(size) ||
	    json_integer_value(size) < 0)
		return false;
	ret->tar_size = (uint64_t)json_integer_value(size);
	return digest_parse(manifest, &ret->manifest) && digest_parse(tar, &ret->tar);
}

int cache_ask_image(struct store *store, const struct plan *plan, const struct digest *output, enum cache_use use,
		    struct cache_image *ret, struct err *err)
{
	auto_cache_image a = {0};
	auto_json result = NULL;
	struct err miss = {0};

	if (use == CACHE_NONE)
		return 0;
	if (image_key_json(plan, output, &a.key, err) < 0 || key_digest(a.key, &a.digest, err) < 0)
		return -1;
	a.hit = use == CACHE_FULL && store_result_get(store, IMAGE_KIND, &a.digest, &result, &miss) == 0 &&
		read_result(result, a.key, &a.built) && store_check_object(store, &a.built.tar, a.built.tar_size, false, &miss) == 0;
	*ret = a;
	a = (struct cache_image){0};
	return 0;
}

bool cache_take_image(struct store *store, const struct cache_image *a, int fd)
{
	struct digest found;
	struct err ignored = {0};
	auto_fd object = -1;

	/* Hashed from what was written: what is damaged on the way is noticed as well. */
	if (store_open_object(store, &a->built.tar, &object, &ignored) == 0 && io_copy(object, fd, a->built.tar_size, &ignored) == 0 &&
	    lseek(fd, 0, SEEK_SET) == 0 && hash_fd(fd, &found, NULL, &ignored) == 0 && digest_eq(&found, &a->built.tar))
		return true;
	/* Where that fails, writing the image anew fails too, and tells why. */
	(void)(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return false;
}

int cache_record_image(struct store *store, const struct cache_image *a, int fd, const struct built_image *built, struct err *err)
{
	char manifest[DIGEST_STR_SIZE], tar[DIGEST_STR_SIZE];
	struct digest stored;

	if (a->key == NULL || built->tar_size > CACHE_IMAGE_MAX)
		return 0;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(err, ERR_INTERNAL, errno, "record image.tar");
	if (store_put_fd(store, fd, CACHE_IMAGE_MAX, &stored, NULL, err) < 0)
		return -1;
	digest_str(&built->tar, tar);
	auto_json result = json_pack("{s:O, s:s, s:s, s:I, s:[], s:[s]}", "key", a->key, "manifest", digest_str(&built->manifest, manifest),
				     "tar", tar, "tarBytes", (json_int_t)built->tar_size, "trees", "objects", tar);
	if (result == NULL)
		return err_set(err, ERR_INTERNAL, ENOMEM, "record image.tar");
	/* The out directory is the caller's, who may have changed the file: then it is not what was built. */
	return digest_eq(&stored, &built->tar) ? store_result_put(store, IMAGE_KIND, &a->digest, result, err) : 0;
}
