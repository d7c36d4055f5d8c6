/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file registry_client.h
 * One repository of one registry, spoken to with whatever credentials it asks for. Private to fetch/.
 */
#ifndef GB_FETCH_REGISTRY_CLIENT_H
#define GB_FETCH_REGISTRY_CLIENT_H

#include "fetch/http.h"
#include "fetch/registry.h"
#include "fetch/url.h"

#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"
#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_EMPTY "application/vnd.oci.empty.v1+json"
#define MEDIA_DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define MEDIA_DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"

/* ---- credentials (registry_credentials.c) ---------------------------------- */

/** A user's secret for a registry. Owned; wiped. All NULL: none. */
struct credentials {
	char *user, *password;
	char *identity;          /**< a refresh token, in place of both */
};
/** Wipes and frees a string that may be NULL. */
void secret_forget(char **s);
void credentials_clear(struct credentials *c);
#define auto_credentials __attribute__((cleanup(credentials_clear))) struct credentials

/** Looks for those of @p host and @p path in the files of @p conf, asking helpers where they say so. None is no failure. ERR_USAGE: a
 *  file or a helper that cannot be used. */
int credentials_find(const struct registry_conf *conf, const char *host, const char *path, struct credentials *ret, struct err *err);

/** Runs docker-credential-@p name with "get" (registry_helper.c): its answer, or an empty one where it knows of nothing. */
int helper_get(const struct registry_conf *conf, const char *name, const char *host, struct buf *answer, struct err *err);

/* ---- the client ------------------------------------------------------------- */

struct registry {
	const struct registry_conf *conf;
	struct fetch_net net;    /**< the caller's, with `plain` for this host */
	struct http *http;
	char *host, *path;       /**< where it really is, after the maps */
	char *base;              /**< "https://HOST/v2/PATH" */
	struct url origin;
	enum err_kind kind;      /**< what a failure of the registry is: ERR_INPUT, ERR_PUBLISH */
	bool push;
	const char *mount_from;  /**< another repository that must be readable just now, or NULL */
	char *authorization;     /**< the header's value, or NULL: none asked for yet */
	struct credentials credentials;
	bool have_credentials;   /**< they have been looked for */
};
#define auto_registry __attribute__((cleanup(registry_close))) struct registry
void registry_close(struct registry *r);

/** Maps, chooses http or https. @p push: writing will be asked for, and failures are ERR_PUBLISH. */
int registry_open(const struct registry_conf *conf, const struct registry_ref *ref, bool push, struct registry *ret, struct err *err);

/** Sends a request, authorized as the registry asks for; failures that are the registry's get its kind. Any status but 401 is a success.
 *  @p req's authorization is set here, and sent to the registry's own origin only. */
int registry_send(struct registry *r, struct http_request *req, struct http_response *ret, struct err *err);

/** A GET of "/manifests/X" and the like, below the repository, of at most @p max bytes. */
int registry_get(struct registry *r, const char *what, const char *accept, uint64_t max, struct http_response *ret, struct err *err);

/** "METHOD URL: the server answered …", of the client's kind. @return -1. */
int registry_refused(const struct registry *r, const struct http_request *req, const struct http_response *resp, struct err *err);

/** Compares what an answer says of itself (Docker-Content-Digest), where it does. */
int registry_check_digest(const struct registry *r, const struct http_response *resp, const struct digest *expected,
			  const char *what, struct err *err);

/** Answers a 401: gets what the challenge in @p resp asks for into r->authorization (registry_auth.c). */
int registry_authenticate(struct registry *r, const struct http_response *resp, struct err *err);

/** Longest value in a challenge. */
#define CHALLENGE_VALUE_MAX 2048

/** The parameters of a WWW-Authenticate header that are of use. */
struct challenge {
	bool bearer;
	char realm[CHALLENGE_VALUE_MAX], service[CHALLENGE_VALUE_MAX], scope[CHALLENGE_VALUE_MAX];
};
/** Reads one challenge (RFC 9110, 11.6.1); NULL: there was no such header. ERR_INPUT. */
int challenge_read(const char *header, struct challenge *ret, struct err *err);

/** Whether http: may be spoken to the host: loopback, or named insecure. */
bool registry_may_be_plain(const struct registry_conf *conf, const struct url *u);

/** Appends @p s with everything but RFC 3986's unreserved characters as %XX. */
void registry_escape(const char *s, struct buf *out);

/** A descriptor in a document of a registry's, or of ours. */
struct described {
	const char *media_type;  /**< borrowed from the JSON; "" where absent */
	struct digest digest;
	uint64_t size;
};
/** Reads it: sha256 alone, a size of at most @p max. ERR_INPUT. */
int described_read(const json_t *j, uint64_t max, const char *what, struct described *ret, struct err *err);

/* ---- parts of a push that attestations need, too ------------------------------ */

/** Makes sure that the repository has the blob. */
int push_blob(struct registry *r, const struct registry_push *push, const struct registry_blob *b, struct registry_pushed *count,
	      struct err *err);
/** PUTs a manifest by digest or tag, @p name. *ret_subject: the registry has understood its subject (may be NULL). */
int push_manifest(struct registry *r, const char *name, const char *media_type, const void *data, size_t n, bool *ret_subject,
		  struct err *err);
/** Attaches the artifacts of @p push to its manifest (registry_attach.c). */
int push_artifacts(struct registry *r, const struct registry_push *push, struct registry_pushed *count, struct err *err);

/** The tag that lists what refers to @p subject where the registry does not: "sha256-HEX". */
#define FALLBACK_TAG_SIZE (sizeof "sha256-" + DIGEST_HEX_SIZE)
char *fallback_tag(const struct digest *subject, char out[FALLBACK_TAG_SIZE]);

#endif
