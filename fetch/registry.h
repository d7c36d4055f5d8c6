/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file registry.h
 * Registries: the OCI distribution API, v1.1. Images come in by digest into an OCI image layout, and go out with their
 * attestations as referrers. What a registry says is believed only where a digest bears it out.
 */
#ifndef GB_FETCH_REGISTRY_H
#define GB_FETCH_REGISTRY_H

#include "fetch/fetch.h"
#include "oci/oci.h"

/** Largest document of a registry's own: a token, an index of referrers. */
#define REGISTRY_ANSWER_MAX (4u << 20)
/** Most bytes of all layers of an image that is pulled. */
#define REGISTRY_IMAGE_MAX (64ull << 30)
/** Largest file of docker's configuration, and most bytes of a credential helper's answer. */
#define REGISTRY_CREDENTIALS_MAX (1u << 20)
/** Blobs above this many bytes go in chunks of so many, where struct registry_conf says 0. */
#define REGISTRY_CHUNK (64u << 20)

/* ---- references --------------------------------------------------------- */

/** HOST[:PORT]/PATH[:TAG][@sha256:HEX]; owned strings. */
struct registry_ref {
	char *host;            /**< with its port where one is given */
	char *path;
	char *tag;             /**< or NULL */
	bool pinned;           /**< @c digest is given */
	struct digest digest;
};
void registry_ref_clear(struct registry_ref *ref);
#define auto_registry_ref __attribute__((cleanup(registry_ref_clear))) struct registry_ref

/** Parses by distribution's grammar. The host must be named (it has a dot or a port, or is localhost): there is no default
 *  registry. ERR_USAGE. */
int registry_ref_parse(const char *text, struct registry_ref *ret, struct err *err);

/* ---- settings ------------------------------------------------------------- */

/** How to reach registries. Borrowed. */
struct registry_conf {
	const struct fetch_net *net;                    /**< its @c plain is not used: the next two decide, host by host */
	const char *const *insecure; size_t ninsecure;  /**< HOST[:PORT] to be spoken to by http:; loopback always is */
	const char *const *maps; size_t nmaps;          /**< "FROM=TO", each HOST[:PORT][/PATH], TO with https:// or http:// before it where
							 *   that is not to be guessed; the longest FROM that fits is replaced */
	const char *const *credentials; size_t ncredentials; /**< files of docker's config.json kind; one that is missing is skipped */
	const char *helper_path;                        /**< where docker-credential-NAME is looked for (as $PATH), or NULL */
	const char *const *helper_env;                  /**< a helper's whole environment, NULL-terminated, or NULL */
	const struct ident *ident;                      /**< whose right to read the files, or NULL: this process's as it is */
	uint64_t chunk;
};

/* ---- pull ------------------------------------------------------------------ */

/** An image that a registry has. */
struct registry_image {
	struct digest named;      /**< of what the reference names: an index perhaps */
	struct digest manifest;   /**< of the image itself */
	uint64_t manifest_size;
	char media_type[128];     /**< of the manifest */
};

/** Finds out what a reference means, and which image for @p platform ("linux/arm64"; NULL: linux on this machine's architecture) that is.
 *  ERR_INPUT. */
int registry_resolve(const struct registry_conf *conf, const struct registry_ref *ref, const char *platform,
		     struct registry_image *ret, struct err *err);

/** Fetches an image into the empty directory @p dirfd, which becomes an OCI image layout whose index names the one manifest, with tag
 *  @p tag (or NULL). Sizes and digests are checked while it comes. On failure (ERR_INPUT; ERR_INTERNAL when writing fails) some blobs
 *  may be there, and no index. */
int registry_pull(const struct registry_conf *conf, const struct registry_ref *ref, const char *platform, int dirfd, const char *tag,
		  struct registry_image *ret, struct err *err);

/* ---- pinned images, by way of the store --------------------------------------- */

/** Begins the reference of an image in a registry: "oci:HOST[:PORT]/PATH@sha256:…". */
#define REGISTRY_PREFIX "oci:"

/** Whether @p text is such a reference: pinned, and not "oci:/PATH…" or "oci:./PATH…", which are layouts on disk. */
bool registry_is_image(const char *text);
/** Takes it apart. ERR_USAGE, also where it has no digest. */
int registry_image_parse(const char *text, struct registry_ref *ret, struct err *err);

/** An image that came, as an OCI image layout in the store's scratch; gone when cleared. */
struct registry_fetched {
	struct store_scratch *scratch;
	int layout;                    /**< its directory */
	struct registry_image image;
};
#define REGISTRY_FETCHED_NONE ((struct registry_fetched){ .layout = -1 })
void registry_fetched_clear(struct registry_fetched *f);
#define auto_registry_fetched __attribute__((cleanup(registry_fetched_clear))) struct registry_fetched

/** registry_pull() of "oci:…@sha256:…" into scratch. @p conf NULL: nothing may be fetched, ERR_INPUT with what to do. */
int registry_fetch(struct store *store, const struct registry_conf *conf, const char *text, const char *platform,
		   struct registry_fetched *ret, struct err *err);

/** What the store remembers of images: kinds of registry_remember(). */
#define REGISTRY_MANIFEST "image"      /**< the image's own manifest, where what is named may be an index */
#define REGISTRY_TREE "imagetree"      /**< the tree that it was imported as */

/** Keeps what the image that @p named means on @p platform (NULL: this host's) has given, among what can be worked out again. */
int registry_remember(struct store *store, const char *kind, const struct digest *named, const char *platform,
		      const struct digest *value, struct err *err);
/** Asks for it. @return false where it is not known (any more), or damaged: then fetch. */
bool registry_recall(struct store *store, const char *kind, const struct digest *named, const char *platform, struct digest *ret);

/* ---- what refers to an image --------------------------------------------------- */

/** Gives every attestation or other artifact of @p artifact_type that refers to @p subject to @p take, one after the other.
 *  ERR_INPUT, also where one is larger than @p max. */
int registry_referrers(const struct registry_conf *conf, const struct registry_ref *ref, const struct digest *subject,
		       const char *artifact_type, size_t max,
		       int (*take)(void *arg, const struct buf *content, const json_t *annotations, struct err *err), void *arg,
		       struct err *err);

/* ---- push -------------------------------------------------------------------- */

/** A blob to send. Borrowed. */
struct registry_blob {
	struct digest digest;
	uint64_t size;
	const void *data;          /**< or NULL: in @c fd from @c offset on (read with pread) */
	int fd;
	uint64_t offset;
};

/** Something that refers to the image: a manifest with a subject and one layer. Borrowed. */
struct registry_artifact {
	const char *type;          /**< artifactType, and the layer's media type */
	const void *data; size_t n;
	const struct oci_kv *annotations; size_t nannotations;
};

/** What to send. Borrowed. */
struct registry_push {
	const char *media_type;                               /**< of the manifest */
	const void *manifest; size_t nmanifest;               /**< its bytes */
	const struct registry_blob *blobs; size_t nblobs;     /**< all that it names */
	const struct registry_artifact *artifacts; size_t nartifacts;
	const char *const *mount_from; size_t nmount_from;    /**< repositories (PATH) of the same registry that may have blobs already */
};

/** What came of it. */
struct registry_pushed {
	struct digest manifest;
	size_t sent, mounted, present; /**< blobs */
	bool fallback;                 /**< the registry keeps no referrers: the tag sha256-HEX lists them */
};

/** Sends blobs, manifest, artifacts, and the tag last: until all else is there, nothing is named. Without a tag nothing is. Every answer's
 *  digest is compared. ERR_PUBLISH; ERR_INPUT or ERR_INTERNAL for what is on this side. */
int registry_push(const struct registry_conf *conf, const struct registry_ref *ref, const struct registry_push *push,
		  struct registry_pushed *ret, struct err *err);

/** Gives what registry_push() has sent the tag of @p ref, too. */
int registry_tag(const struct registry_conf *conf, const struct registry_ref *ref, const struct registry_push *push, struct err *err);

/** Where the repository of @p ref is spoken to, after the maps: "https://HOST[:PORT]/v2/PATH". Asks nobody. ERR_USAGE: it may not be
 *  spoken to, or a map is none. */
int registry_where(const struct registry_conf *conf, const struct registry_ref *ref, char **ret, struct err *err);

#endif
