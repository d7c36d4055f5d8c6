/* SPDX-License-Identifier: Apache-2.0 */
/* Images out: blobs, then the manifest that names them, then what refers to it, then the tag. */
#include <errno.h>
#include <string.h>

#include "fetch/registry_client.h"

/** How often an upload is begun again that the registry has lost. */
#define UPLOADS_MAX 3
/** Most bytes kept of an answer that nobody needs. */
#define REPLY_MAX (64u << 10)

/** How an upload ended, where it did not fail for good. */
enum upload { UPLOADED, LOST };

/* ---- one upload --------------------------------------------------------------- */

/** Where the registry wants the bytes, made absolute (Location may be relative). */
static int take_location(struct registry *r, const struct http_response *resp, struct buf *ret, struct err *err)
{
	const char *location = http_header(resp, "Location");
	auto_url base = {0}, url = {0};

	if (location == NULL)
		return err_set(err, r->kind, 0, "%s: the registry says nowhere to send a blob to", r->host);
	if (url_parse(resp->url, NULL, &base, err) < 0 || url_parse(location, &base, &url, err) < 0 ||
	    url_allowed(&url, r->net.plain, err) < 0) {
		err->kind = r->kind;
		return -1;
	}
	buf_clear(ret);
	buf_adds(ret, url.text);
	return buf_check(ret, "URL", err);
}

/** POST: begins an upload, or mounts the blob from @p from (NULL: no). *ret_mounted: there is nothing left to do. */
static int begin_upload(struct registry *r, const struct digest *digest, const char *from, struct buf *location, uint64_t *ret_least,
			bool *ret_mounted, struct err *err)
{
	auto_buf url = {0};
	auto_http_response resp = {0};
	char text[DIGEST_STR_SIZE];

	buf_addf(&url, "%s/blobs/uploads/", r->base);
	if (from != NULL) {
		buf_addf(&url, "?mount=%s&from=", digest_str(digest, text));
		registry_escape(from, &url);
	}
	if (buf_check(&url, "URL", err) < 0)
		return -1;
	struct http_request req = { .method = "POST", .url = url.data, .body = "", .has_body = true, .limit = REPLY_MAX };
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	*ret_mounted = from != NULL && resp.status == 201;
	if (*ret_mounted)
		return registry_check_digest(r, &resp, digest, "mounted blob", err);
	if (resp.status != 202)
		return registry_refused(r, &req, &resp, err);
	const char *least = http_header(&resp, "OCI-Chunk-Min-Length");
	*ret_least = least != NULL && least[0] >= '0' && least[0] <= '9' ? strtoull(least, NULL, 10) : 0;
	return take_location(r, &resp, location, err);
}

/** A part of the blob as the body of a request. */
static void give(const struct registry_blob *b, uint64_t at, uint64_t n, struct http_request *req)
{
	req->has_body = true;
	req->body = b->data == NULL ? NULL : (const char *)b->data + at;
	req->body_fd = b->fd;
	req->body_at = b->offset + at;
	req->body_len = n;
}

/** PATCH: one chunk. */
static int send_chunk(struct registry *r, const struct registry_blob *b, uint64_t at, uint64_t n, struct buf *location,
		      enum upload *ret, struct err *err)
{
	char range[64];
	auto_http_response resp = {0};
	const char *const headers[] = { "Content-Type: application/octet-stream", range, NULL };
	struct http_request req = { .method = "PATCH", .url = location->data, .headers = headers, .limit = REPLY_MAX };

	snprintf(range, sizeof range, "Content-Range: %llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
	give(b, at, n, &req);
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	*ret = resp.status == 202 ? UPLOADED : LOST;
	/* 404: it has forgotten the upload; 416: it has had the chunk, and its answer was lost, or not all of the one before. */
	if (*ret == LOST)
		return resp.status == 404 || resp.status == 416 ? 0 : registry_refused(r, &req, &resp, err);
	return take_location(r, &resp, location, err);
}

static int send_chunks(struct registry *r, const struct registry_blob *b, uint64_t chunk, struct buf *location, enum upload *ret,
		       struct err *err)
{
	for (uint64_t at = 0; at < b->size; at += chunk) {
		uint64_t n = b->size - at < chunk ? b->size - at : chunk;

		if (send_chunk(r, b, at, n, location, ret, err) < 0)
			return -1;
		if (*ret == LOST)
			return 0;
	}
	return 0;
}

/** PUT: the blob from @p at on, and its digest, which the registry checks. */
static int end_upload(struct registry *r, const struct registry_blob *b, uint64_t at, const struct buf *location, enum upload *ret,
		      struct err *err)
{
	static const char *const headers[] = { "Content-Type: application/octet-stream", NULL };
	auto_buf url = {0};
	auto_http_response resp = {0};
	char text[DIGEST_STR_SIZE];

	buf_addf(&url, "%s%cdigest=%s", location->data, strchr(location->data, '?') != NULL ? '&' : '?', digest_str(&b->digest, text));
	if (buf_check(&url, "URL", err) < 0)
		return -1;
	struct http_request req = { .method = "PUT", .url = url.data, .headers = headers, .limit = REPLY_MAX };
	give(b, at, b->size - at, &req);
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	if (resp.status == 404 || resp.status == 416) {
		*ret = LOST;
		return 0;
	}
	if (resp.status != 201)
		return registry_refused(r, &req, &resp, err);
	*ret = UPLOADED;
	return registry_check_digest(r, &resp, &b->digest, "blob", err);
}

/* ---- blobs ---------------------------------------------------------------------- */

static int has_blob(struct registry *r, const struct digest *digest, bool *ret, struct err *err)
{
	auto_buf url = {0};
	auto_http_response resp = {0};
	char text[DIGEST_STR_SIZE];

	buf_addf(&url, "%s/blobs/%s", r->base, digest_str(digest, text));
	if (buf_check(&url, "URL", err) < 0)
		return -1;
	struct http_request req = { .method = "HEAD", .url = url.data };
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	if (resp.status != 200 && resp.status != 404)
		return registry_refused(r, &req, &resp, err);
	*ret = resp.status == 200;
	return *ret ? registry_check_digest(r, &resp, digest, "blob", err) : 0;
}

static int upload(struct registry *r, const struct registry_blob *b, struct buf *location, uint64_t least, enum upload *ret,
		  struct err *err)
{
	uint64_t chunk = r->conf->chunk != 0 ? r->conf->chunk : REGISTRY_CHUNK;

	if (chunk < least)
		chunk = least;
	if (b->size <= chunk)
		return end_upload(r, b, 0, location, ret, err);
	if (send_chunks(r, b, chunk, location, ret, err) < 0)
		return -1;
	return *ret == LOST ? 0 : end_upload(r, b, b->size, location, ret, err);
}

/** Mounts it from one of the repositories named. The last POST of this kind has begun an upload where that did not work. */
static int try_mounts(struct registry *r, const struct registry_push *push, const struct digest *digest, struct buf *location,
		      uint64_t *least, bool *ret_mounted, struct err *err)
{
	*ret_mounted = false;
	for (size_t i = 0; i < push->nmount_from && !*ret_mounted; i++) {
		/* The token in hand is not for that repository. */
		if (r->mount_from == NULL || strcmp(r->mount_from, push->mount_from[i]) != 0) {
			free(r->authorization);
			r->authorization = NULL;
			r->mount_from = push->mount_from[i];
		}
		if (begin_upload(r, digest, push->mount_from[i], location, least, ret_mounted, err) < 0)
			return -1;
	}
	return 0;
}

int push_blob(struct registry *r, const struct registry_push *push, const struct registry_blob *b, struct registry_pushed *count,
	      struct err *err)
{
	bool there, mounted = false;
	char text[DIGEST_STR_SIZE];

	for (unsigned i = 0; i < UPLOADS_MAX; i++) {
		auto_buf location = {0};
		uint64_t least = 0;
		enum upload end = LOST;

		/* Asked each time: an upload whose answer was lost may have worked. */
		if (has_blob(r, &b->digest, &there, err) < 0)
			return -1;
		if (there) {
			*(i == 0 ? &count->present : &count->sent) += 1;
			return 0;
		}
		if (try_mounts(r, push, &b->digest, &location, &least, &mounted, err) < 0)
			return -1;
		if (mounted) {
			count->mounted++;
			return 0;
		}
		if (location.len == 0 && begin_upload(r, &b->digest, NULL, &location, &least, &mounted, err) < 0)
			return -1;
		if (upload(r, b, &location, least, &end, err) < 0)
			return -1;
		if (end == UPLOADED) {
			count->sent++;
			return 0;
		}
	}
	return err_set(err, r->kind, 0, "%s/%s: the registry lost the upload of blob %s %d times", r->host, r->path,
		       digest_str(&b->digest, text), UPLOADS_MAX);
}

/* ---- manifests --------------------------------------------------------------------- */

int push_manifest(struct registry *r, const char *name, const char *media_type, const void *data, size_t n, bool *ret_subject,
		  struct err *err)
{
	auto_buf url = {0}, type = {0};
	auto_http_response resp = {0};
	struct digest digest;

	buf_addf(&url, "%s/manifests/%s", r->base, name);
	buf_addf(&type, "Content-Type: %s", media_type);
	if (buf_check(&url, "URL", err) < 0 || buf_check(&type, "header", err) < 0 || hash_bytes(data, n, &digest, err) < 0)
		return -1;
	const char *const headers[] = { type.data, NULL };
	struct http_request req = {
		.method = "PUT", .url = url.data, .headers = headers, .body = data, .body_len = n, .has_body = true, .limit = REPLY_MAX,
	};
	if (registry_send(r, &req, &resp, err) < 0)
		return -1;
	if (resp.status != 201)
		return registry_refused(r, &req, &resp, err);
	if (ret_subject != NULL)
		*ret_subject = http_header(&resp, "OCI-Subject") != NULL;
	return registry_check_digest(r, &resp, &digest, name, err);
}

static int push_all(struct registry *r, const struct registry_ref *ref, const struct registry_push *push, struct registry_pushed *count,
		    struct err *err)
{
	char text[DIGEST_STR_SIZE];

	for (size_t i = 0; i < push->nblobs; i++)
		if (push_blob(r, push, &push->blobs[i], count, err) < 0)
			return -1;
	if (push_manifest(r, digest_str(&count->manifest, text), push->media_type, push->manifest, push->nmanifest, NULL, err) < 0 ||
	    push_artifacts(r, push, count, err) < 0)
		return -1;
	if (ref->tag == NULL)
		return 0;
	return push_manifest(r, ref->tag, push->media_type, push->manifest, push->nmanifest, NULL, err);
}

int registry_push(const struct registry_conf *conf, const struct registry_ref *ref, const struct registry_push *push,
		  struct registry_pushed *ret, struct err *err)
{
	auto_registry r = {0};
	struct registry_pushed count = {0};
	char a[DIGEST_STR_SIZE], b[DIGEST_STR_SIZE];

	if (hash_bytes(push->manifest, push->nmanifest, &count.manifest, err) < 0)
		return -1;
	if (ref->pinned && !digest_eq(&ref->digest, &count.manifest))
		return err_set(err, ERR_USAGE, 0, "the image is %s, not %s", digest_str(&count.manifest, a), digest_str(&ref->digest, b));
	if (registry_open(conf, ref, true, &r, err) < 0)
		return -1;
	if (push_all(&r, ref, push, &count, err) < 0)
		return err_ctx(err, "push to %s/%s", r.host, r.path);
	*ret = count;
	return 0;
}

int registry_tag(const struct registry_conf *conf, const struct registry_ref *ref, const struct registry_push *push, struct err *err)
{
	auto_registry r = {0};

	if (registry_open(conf, ref, true, &r, err) < 0)
		return -1;
	if (push_manifest(&r, ref->tag, push->media_type, push->manifest, push->nmanifest, NULL, err) < 0)
		return err_ctx(err, "tag '%s' of %s/%s", ref->tag, r.host, r.path);
	return 0;
}
