/* SPDX-License-Identifier: Apache-2.0 */
/* Images on top of another tool's: documents read, layers kept, config merged, links below respected. */
#include "tests/unit/oci/helper.h"

#include <errno.h>
#include <sys/stat.h>

static struct err err;

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define MANIFEST(type, config, layers) \
	"{\"schemaVersion\":2," type "\"config\":{\"mediaType\":\"" config "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[" layers "]}"
#define OCI_TYPE "\"mediaType\":\"" MEDIA_MANIFEST "\","

/** A base of one layer as another tool may make it: setuid, device, extended attribute, a path twice, links. */
struct foreign {
	struct buf layer, config, manifest;
	struct oci_blob blob;
	struct oci_base base;
};

static void foreign_clear(struct foreign *f)
{
	buf_free(&f->layer);
	buf_free(&f->config);
	buf_free(&f->manifest);
	oci_base_clear(&f->base);
}

/** The tar of that layer. */
static void foreign_layer(struct buf *out)
{
	static const char xattr[] = "31 SCHILY.xattr.user.a=\1\2\3abcd\n";

	raw_header(out, "pax_global_header", 'g', "0000644", "00000000014", "");
	raw_content(out, "12 comment=a", 12);
	raw_header(out, "usr/", '5', "0000755", "0", "");
	raw_header(out, "usr/bin/", '5', "0000755", "0", "");
	raw_header(out, "bin", '2', "0000777", "0", "usr/bin");
	raw_header(out, "usr/bin/su", '0', "0004755", "00000000003", "");
	raw_content(out, "su\n", 3);
	raw_header(out, "usr/bin/su", '1', "0004755", "0", "usr/bin/gone");
	raw_header(out, "dev/null", '3', "0000666", "0", "");
	raw_header(out, "run/fifo", '6', "0000666", "0", "");
	raw_header(out, "x", 'x', "0000644", "00000000037", "");
	raw_content(out, xattr, 31);
	raw_header(out, "usr/bin/su", '0', "0000755", "00000000003", "");
	raw_content(out, "su\n", 3);
	raw_header(out, "/absolute", '0', "0000644", "0", "");
	raw_zeros(out, TAR_END);
}

static void foreign_make(struct foreign *f, const char *run)
{
	char digest[DIGEST_STR_SIZE];

	*f = (struct foreign){ 0 };
	foreign_layer(&f->layer);
	must(hash_bytes(f->layer.data, f->layer.len, &f->blob.digest, &err));
	f->blob.size = f->layer.len;
	digest_str(&f->blob.digest, digest);
	buf_addf(&f->config,
		 "{\n \"architecture\": \"amd64\", \"os\": \"linux\", \"variant\": \"v2\", \"author\": \"them\",\"config\": %s,"
		 "\"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"%s\"]},"
		 "\"history\": [{\"created_by\": \"ADD\"}, {\"created_by\": \"CMD\", \"empty_layer\": true}]}\n", run, digest);
	struct digest d;
	char config[DIGEST_STR_SIZE];
	must(hash_bytes(f->config.data, f->config.len, &d, &err));
	buf_addf(&f->manifest, MANIFEST(OCI_TYPE, MEDIA_CONFIG, "{\"mediaType\":\"" MEDIA_LAYER_TAR "\",\"digest\":\"%s\",\"size\":%zu}"),
		 digest_str(&d, config), f->config.len, digest, f->layer.len);
	must(oci_base_manifest(f->manifest.data, f->manifest.len, &f->base, &err));
	must(oci_base_config(&f->base, f->config.data, f->config.len, &err));
}

/** An image of the foreign layer and a small one. */
static int image_on(const struct foreign *f, struct oci_below *below, const struct oci_config *config)
{
	struct oci_layer_file files[2] = { { .codec = OCI_NONE, .blob = f->base.layers[0] } };
	struct digest d;
	auto_oci_layer layer = NULL;
	int fd = mem_file("", 0);

	files[0].fd = mem_file(f->layer.data, f->layer.len);
	must(oci_below_read(below, files[0].fd, OCI_NONE, &f->base.layers[0], &err));
	files[1] = (struct oci_layer_file){ .codec = OCI_ZSTD, .fd = mem_file("", 0), .created_by = "us" };
	must(oci_layer_begin(files[1].fd, OCI_ZSTD, 315532800, &layer, &err));
	oci_layer_on(layer, below);
	add_dir(layer, "app");
	add_file(layer, "app/hello", 0755, "hello");
	must(oci_layer_end(layer, &files[1].blob, &err));
	must(oci_image_write(fd, config, files, 2, NULL, &d, &err));
	close(files[0].fd);
	close(files[1].fd);
	return fd;
}

static void base_layers_are_kept_and_read(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	auto_oci_below below = NULL;
	struct oci_config config = small_config();

	foreign_make(&f, "{\"Cmd\":[\"/bin/sh\"]}");
	config.base = f.base.config;
	must(oci_below_new(&below, &err));
	auto_fd fd = image_on(&f, below, &config);
	for (int deep = 0; deep < 2; deep++) {
		auto_oci_image image = { 0 };

		must(oci_image_read_on(fd, deep, &f.base, &image, &err));
		assert_int_equal(image.nlayers, 2);
		assert_true(digest_eq(&image.layers[0].digest, &f.blob.digest));
	}
	/* Where nobody vouched for the first layer, what is odd in it counts. */
	must_fail(try_read(fd, true, &err), ERR_UNVERIFIED, "a member of type");
	/* It is not the layer that somebody vouched for. */
	auto_oci_image image = { 0 };
	f.base.layers[0].digest.b[0] ^= 1;
	must_fail(oci_image_read_on(fd, false, &f.base, &image, &err), ERR_UNVERIFIED, "layer 1 is not that of the base");
}

/** Some tools write no zero blocks at the end, others something behind them. */
static void ends_of_other_tools_are_taken(void **state)
{
	(void)state;
	auto_oci_below below = NULL;
	auto_buf tar = { 0 };

	must(oci_below_new(&below, &err));
	raw_header(&tar, "f", '0', "0000644", "00000000003", "");
	raw_content(&tar, "abc", 3);
	for (int i = 0; i < 4; i++) {
		struct oci_blob blob = { .size = tar.len };

		must(hash_bytes(tar.data, tar.len, &blob.digest, &err));
		blob.diff_id = blob.digest;
		auto_fd fd = mem_file(tar.data, tar.len);
		must(oci_below_read(below, fd, OCI_NONE, &blob, &err));
		/* Next: one zero block, bytes behind it, and more of them. */
		if (i == 0)
			raw_zeros(&tar, TAR_BLOCK);
		else
			buf_adds(&tar, "rest");
	}
	/* Nor need the last content be padded; but it must be whole. */
	struct oci_blob blob = { .size = TAR_BLOCK + 3 };
	auto_fd fd = mem_file(tar.data, tar.len);
	must(hash_bytes(tar.data, TAR_BLOCK + 3, &blob.digest, &err));
	blob.diff_id = blob.digest;
	must(oci_below_read(below, fd, OCI_NONE, &blob, &err));
	blob.size--;
	must_fail(oci_below_read(below, fd, OCI_NONE, &blob, &err), ERR_INPUT, "ends too early");
	blob.size = TAR_BLOCK - 1;
	must_fail(oci_below_read(below, fd, OCI_NONE, &blob, &err), ERR_INPUT, "ends too early");
}

/** A strict layer with a setuid file is refused on a base too. */
static void own_layers_stay_strict_on_a_base(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	auto_buf tar = { 0 };
	struct oci_config config = small_config();
	struct oci_layer_file files[2] = { { .codec = OCI_NONE }, { .codec = OCI_NONE } };
	struct digest d;
	auto_oci_image image = { 0 };
	auto_fd fd = mem_file("", 0);

	foreign_make(&f, "{}");
	config.base = f.base.config;
	raw_header(&tar, "app/", '5', "0000755", "0", "");
	raw_header(&tar, "app/su", '0', "0004755", "0", "");
	raw_zeros(&tar, TAR_END);
	must(hash_bytes(tar.data, tar.len, &files[1].blob.digest, &err));
	files[0].blob = f.base.layers[0];
	files[1].blob.diff_id = files[1].blob.digest;
	files[1].blob.size = tar.len;
	auto_fd a = mem_file(f.layer.data, f.layer.len);
	auto_fd b = mem_file(tar.data, tar.len);
	files[0].fd = a;
	files[1].fd = b;
	must(oci_image_write(fd, &config, files, 2, NULL, &d, &err));
	must_fail(oci_image_read_on(fd, true, &f.base, &image, &err), ERR_UNVERIFIED, "entry 'app/su': the mode has setuid");
}

static void damaged_base_layers_are_refused(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	auto_oci_below below = NULL;
	struct oci_blob blob;

	foreign_make(&f, "null");
	must(oci_below_new(&below, &err));
	auto_fd fd = mem_file(f.layer.data, f.layer.len);
	blob = f.base.layers[0];
	blob.diff_id.b[3] ^= 1;
	must_fail(oci_below_read(below, fd, OCI_NONE, &blob, &err), ERR_INPUT, "its config's diff ID");
	blob = f.base.layers[0];
	must_fail(oci_below_read(below, fd, OCI_GZIP, &blob, &err), ERR_INPUT, "not a gzip stream");
	blob.size++;
	must_fail(oci_below_read(below, fd, OCI_NONE, &blob, &err), ERR_INPUT, "too early");
	assert_int_equal(pwrite(fd, "X", 1, 4 * 512 + 3), 1);
	must_fail(oci_below_read(below, fd, OCI_NONE, &f.base.layers[0], &err), ERR_INPUT, "checksum");
}

static void directory_in_place_of_a_link_is_refused(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	auto_oci_below below = NULL;
	auto_oci_layer layer = NULL;
	auto_oci_layer next = NULL;
	auto_fd out = mem_file("", 0);
	struct oci_entry e = { .path = "bin", .type = OCI_DIR, .mode = 0755 };

	foreign_make(&f, "{}");
	must(oci_below_new(&below, &err));
	auto_fd fd = mem_file(f.layer.data, f.layer.len);
	must(oci_below_read(below, fd, OCI_NONE, &f.base.layers[0], &err));
	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	oci_layer_on(layer, below);
	add_dir(layer, "usr");
	add_link(layer, "lib", "usr/lib");
	must_fail(oci_layer_add(layer, &e, -1, &err), ERR_INPUT, "layer entry 'bin': in the layers below it is a symbolic link");
	/* One of our own layers below counts too, and a link that a file has replaced no longer does. */
	must(oci_layer_begin(out, OCI_NONE, 0, &next, &err));
	oci_layer_on(next, below);
	add_file(next, "bin", 0755, "x");
	e.path = "lib";
	must_fail(oci_layer_add(next, &e, -1, &err), ERR_INPUT, "a symbolic link");
	oci_layer_free(move_ptr(next));
	must(oci_layer_begin(out, OCI_NONE, 0, &next, &err));
	oci_layer_on(next, below);
	add_dir(next, "bin");
}

/** Whiteouts of the base's upper layers take its lower ones' links away. */
static void whiteouts_take_links_away(void **state)
{
	(void)state;
	auto_oci_below below = NULL;
	auto_oci_layer layer = NULL;
	struct buf tars[2] = { { 0 }, { 0 } };
	auto_fd out = mem_file("", 0);

	raw_header(&tars[0], "a", '2', "0000777", "0", "x");
	raw_header(&tars[0], "d/l", '2', "0000777", "0", "x");
	raw_header(&tars[0], "o/l", '2', "0000777", "0", "x");
	raw_header(&tars[0], "o/m", '2', "0000777", "0", "x");
	raw_header(&tars[1], ".wh.a", '0', "0000644", "0", "");
	raw_header(&tars[1], ".wh.d", '0', "0000644", "0", "");
	raw_header(&tars[1], "o/m", '2', "0000777", "0", "x");
	raw_header(&tars[1], "o/.wh..wh..opq", '0', "0000644", "0", "");
	must(oci_below_new(&below, &err));
	for (int i = 0; i < 2; i++) {
		struct oci_blob blob = { 0 };

		raw_zeros(&tars[i], TAR_END);
		must(hash_bytes(tars[i].data, tars[i].len, &blob.digest, &err));
		blob.diff_id = blob.digest;
		blob.size = tars[i].len;
		auto_fd fd = mem_file(tars[i].data, tars[i].len);
		must(oci_below_read(below, fd, OCI_NONE, &blob, &err));
		buf_free(&tars[i]);
	}
	must(oci_layer_begin(out, OCI_NONE, 0, &layer, &err));
	oci_layer_on(layer, below);
	add_dir(layer, "a");
	add_dir(layer, "d");
	add_dir(layer, "d/l");
	add_dir(layer, "o");
	add_dir(layer, "o/l");
	struct oci_entry e = { .path = "o/m", .type = OCI_DIR, .mode = 0755 };
	must_fail(oci_layer_add(layer, &e, -1, &err), ERR_INPUT, "a symbolic link");
}

static void config_is_merged(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	static const struct oci_kv env[] = { { "NEW", "1" }, { "PATH", "/app" } };
	static const struct oci_kv labels[] = { { "b", "ours" }, { "c", "ours" } };
	static const char *const entry[] = { "/app/run" }, *const ports[] = { "80/tcp" }, *const volumes[] = { "/data" };
	static const char *const test[] = { "CMD", "/ask" };
	static const struct oci_health health = { .test = test, .ntest = 2, .interval_ns = 30000000000u, .retries = 3 };
	struct oci_config config = {
		.architecture = "amd64", .created = 315532800, .env = env, .nenv = 2, .labels = labels, .nlabels = 2,
		.entrypoint = entry, .nentrypoint = 1, .ports = ports, .nports = 1, .volumes = volumes, .nvolumes = 1,
		.stop_signal = "SIGINT", .health = &health,
	};
	auto_oci_below below = NULL;
	auto_oci_image image = { 0 };
	auto_buf out = { 0 };
	static const char want[] =
		"{\"architecture\":\"amd64\",\"author\":\"them\",\"config\":{\"Entrypoint\":[\"/app/run\"],"
		"\"Env\":[\"PATH=/app\",\"KEEP=x=y\",\"NEW=1\"],\"ExposedPorts\":{\"22/tcp\":{},\"80/tcp\":{}},"
		"\"Healthcheck\":{\"Interval\":30000000000,\"Retries\":3,\"Test\":[\"CMD\",\"/ask\"]},"
		"\"Labels\":{\"a\":\"theirs\",\"b\":\"ours\",\"c\":\"ours\"},\"StopSignal\":\"SIGINT\",\"User\":\"theirs\","
		"\"Volumes\":{\"/data\":{}},\"WorkingDir\":\"/srv\"},\"created\":\"1980-01-01T00:00:00Z\","
		"\"history\":[{\"created_by\":\"ADD\"},{\"created_by\":\"CMD\",\"empty_layer\":true},"
		"{\"created\":\"1980-01-01T00:00:00Z\",\"created_by\":\"us\"}],\"os\":\"linux\"";

	foreign_make(&f, "{\"User\":\"theirs\",\"WorkingDir\":\"/srv\",\"Cmd\":[\"/bin/sh\"],\"Env\":[\"PATH=/bin\",\"KEEP=x=y\"],"
			 "\"Labels\":{\"a\":\"theirs\",\"b\":\"theirs\"},\"ExposedPorts\":{\"22/tcp\":{}},\"Volumes\":null,"
			 "\"OnBuild\":[\"RUN x\"],\"StopSignal\":\"SIGQUIT\"}");
	config.base = f.base.config;
	must(oci_below_new(&below, &err));
	auto_fd fd = image_on(&f, below, &config);
	must(oci_image_read_on(fd, true, &f.base, &image, &err));
	must(json_canonical(image.config, &out, &err));
	if (strncmp(out.data, want, sizeof want - 1) != 0)
		fail_msg("%s", out.data);
	assert_non_null(strstr(out.data, "\"variant\":\"v2\""));
}

/** The base's arguments stay with the base's program, and a base's own values where nothing is given. */
static void little_given_keeps_the_rest(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	struct oci_config config = { .architecture = "amd64" };
	struct oci_layer_file file = { 0 };
	auto_buf out = { 0 };

	foreign_make(&f, "{\"Entrypoint\":[\"/init\"],\"Cmd\":[\"a\"]}");
	config.base = f.base.config;
	file.blob = f.base.layers[0];
	must(document_config(&config, &file, 1, &out, &err));
	assert_non_null(strstr(out.data, "\"config\":{\"Cmd\":[\"a\"],\"Entrypoint\":[\"/init\"]}"));
	file.blob.diff_id.b[0] ^= 1;
	must_fail(document_config(&config, &file, 1, &out, &err), ERR_INPUT, "layer 1 is not the base's");
	config.architecture = "arm64";
	must_fail(document_config(&config, &file, 1, &out, &err), ERR_INPUT, "the base is for amd64, this image for arm64");
}

/** Replaces @p from by @p to in a copy of @p text. */
static void edited(const struct buf *text, const char *from, const char *to, struct buf *out)
{
	const char *at = strstr(text->data, from);

	assert_non_null(at);
	buf_add(out, text->data, (size_t)(at - text->data));
	buf_adds(out, to);
	buf_adds(out, at + strlen(from));
}

static void bad_manifests_are_refused(void **state)
{
	(void)state;
	__attribute__((cleanup(foreign_clear))) struct foreign f;
	static const struct { const char *from, *to, *text; } cases[] = {
		{ MEDIA_MANIFEST, "application/vnd.docker.distribution.manifest.v1+json", "neither OCI's nor docker's" },
		{ MEDIA_CONFIG, "application/vnd.example+json", "config is not that of an image" },
		{ MEDIA_LAYER_TAR, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "which glovebox does not read" },
		{ MEDIA_LAYER_TAR, MEDIA_LAYER_TAR "+xz\\u001b", "tar+xz\\033', which" },
		{ "\"layers\":[", "\"layers\":[],\"x\":[", "0 layers" },
		{ "\"layers\":[", "\"layers\":[7,", "no descriptor" },
		{ "{\"schemaVersion\"", "{\"schemaVersion\":2,\"schemaVersion\"", "base image's manifest" },
		{ "]}", "]}x", "base image's manifest" },
	};

	foreign_make(&f, "{}");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_buf text = { 0 };
		auto_oci_base b = { 0 };

		edited(&f.manifest, cases[i].from, cases[i].to, &text);
		must_fail(oci_base_manifest(text.data, text.len, &b, &err), ERR_INPUT, cases[i].text);
	}
	/* Without its own type, and docker's words for the same things. */
	auto_buf untyped = { 0 }, docker = { 0 }, docker2 = { 0 }, docker3 = { 0 };
	auto_oci_base a = { 0 }, b = { 0 };
	edited(&f.manifest, OCI_TYPE, "", &untyped);
	must(oci_base_manifest(untyped.data, untyped.len, &a, &err));
	edited(&f.manifest, MEDIA_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json", &docker);
	edited(&docker, MEDIA_CONFIG, "application/vnd.docker.container.image.v1+json", &docker2);
	edited(&docker2, MEDIA_LAYER_TAR, "application/vnd.docker.image.rootfs.diff.tar.gzip", &docker3);
	must(oci_base_manifest(docker3.data, docker3.len, &b, &err));
	assert_int_equal(b.codecs[0], OCI_GZIP);
}

static void index_is_refused_with_the_digest_to_write(void **state)
{
	(void)state;
	auto_oci_base b = { 0 };
	auto_buf text = { 0 };

	buf_addf(&text, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_INDEX "\",\"manifests\":["
		 "{\"digest\":\"sha256:1" ZEROS "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"mips\"}},"
		 "{\"digest\":\"sha256:" ZEROS "\",\"platform\":{\"os\":\"linux\",\"architecture\":\"%s\"}}]}", oci_architecture());
	must_fail(oci_base_manifest(text.data, text.len, &b, &err), ERR_INPUT, "sha256:" ZEROS);
	buf_clear(&text);
	buf_adds(&text, "{\"manifests\":[]}");
	must_fail(oci_base_manifest(text.data, text.len, &b, &err), ERR_INPUT, "without an image for linux/");
}

static void bad_configs_are_refused(void **state)
{
	(void)state;
	static const struct { const char *run, *from, *to, *text; } cases[] = {
		{ "{}", "linux", "windows", "not for linux" },
		{ "{}", "\"architecture\"", "\"arch\"", "without an architecture" },
		{ "7", "os", "os", "another type" },
		{ "{\"Env\":[7]}", "os", "os", "another type" },
		{ "{\"Labels\":{\"a\":7}}", "os", "os", "another type" },
		{ "{\"Volumes\":[]}", "os", "os", "another type" },
		{ "{}", "\"diff_ids\": [\"sha256:", "\"diff_ids\": [\"sha512:", "no SHA-256 digest" },
		{ "{}", "\"diff_ids\": [", "\"diff_ids\": [\"x\",", "as many diff IDs" },
		{ "{}", ", \"empty_layer\": true", "", "another number of layers" },
		{ "{}", "\"history\": [", "\"history\": {\"a\":[", "base image's config" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		__attribute__((cleanup(foreign_clear))) struct foreign f;
		auto_buf text = { 0 };

		foreign_make(&f, "{}");
		auto_buf with_run = { 0 };
		edited(&f.config, "\"config\": {}", "\"config\": ", &with_run);
		buf_clear(&f.config);
		edited(&with_run, "\"config\": ", "\"config\": @", &f.config);
		edited(&f.config, "@", cases[i].run, &text);
		auto_buf final = { 0 };
		edited(&text, cases[i].from, cases[i].to, &final);
		must(hash_bytes(final.data, final.len, &f.base.config_digest, &err));
		must_fail(oci_base_config(&f.base, final.data, final.len, &err), ERR_INPUT, cases[i].text);
		buf_addc(&final, ' ');
		must_fail(oci_base_config(&f.base, final.data, final.len, &err), ERR_INPUT, "another digest than the manifest");
	}
}

/* ---- layouts ---------------------------------------------------------------- */

static int collect(void *arg, const void *data, size_t n, struct err *e)
{
	(void)e;
	buf_add(arg, data, n);
	return 0;
}

static void check_blobs(int fd, const struct digest *there, const char *content)
{
	auto_oci_layout layout = NULL;
	auto_buf out = { 0 };
	struct digest other = *there;

	must(oci_layout_open(fd, &layout, &err));
	must(oci_layout_blob(layout, there, 100, collect, &out, &err));
	assert_string_equal(out.data, content);
	must_fail(oci_layout_blob(layout, there, 3, collect, &out, &err), ERR_INPUT, "3 is the most");
	other.b[0] ^= 1;
	must_fail(oci_layout_blob(layout, &other, 100, collect, &out, &err), ERR_INPUT, "blobs/sha256/");
}

/** An archive of ours, and one as other tools write it. */
static void blobs_of_a_tar(void **state)
{
	(void)state;
	struct parts p = { 0 };
	struct digest d = parts_add(&p, "content", 7);
	auto_fd ours = parts_file(&p);
	auto_buf tar = { 0 };
	char name[128], digest[DIGEST_HEX_SIZE];

	check_blobs(ours, &d, "content");
	snprintf(name, sizeof name, "./blobs/sha256/%s", digest_hex(&d, digest));
	raw_header(&tar, "./", '5', "0000700", "0", "");
	raw_header(&tar, name, '0', "0000600", "00000000007", "");
	raw_content(&tar, "content", 7);
	raw_header(&tar, "manifest.json", '0', "0000600", "0", "");
	raw_zeros(&tar, 20 * TAR_BLOCK);
	auto_fd theirs = mem_file(tar.data, tar.len);
	check_blobs(theirs, &d, "content");
	/* Another content under the name. */
	auto_oci_layout layout = NULL;
	auto_buf out = { 0 };
	assert_int_equal(pwrite(theirs, "K", 1, 2 * TAR_BLOCK), 1);
	must(oci_layout_open(theirs, &layout, &err));
	must_fail(oci_layout_blob(layout, &d, 100, collect, &out, &err), ERR_INPUT, "another digest");
	auto_fd none = mem_file("\x1f\x8b", 2);
	oci_layout_free(move_ptr(layout));
	must_fail(oci_layout_open(none, &layout, &err), ERR_INPUT, "not a tar of an image layout");
}

static void blobs_of_a_directory(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	char dir[256], name[OUTER_BLOB_NAME_SIZE];
	struct digest d;

	snprintf(dir, sizeof dir, "%s/glovebox-base.XXXXXX", tmp != NULL ? tmp : "/tmp");
	assert_non_null(mkdtemp(dir));
	auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(hash_bytes("content", 7, &d, &err));
	must(io_mkdirs(fd, OUTER_SHA256, 0755, &err));
	outer_blob_name(&d, name);
	must(io_publish(fd, name, "content", 7, 0644, 0, &err));
	check_blobs(fd, &d, "content");
	auto_oci_layout layout = NULL;
	auto_buf out = { 0 };
	must(oci_layout_open(fd, &layout, &err));
	assert_int_equal(unlinkat(fd, name, 0), 0);
	assert_int_equal(mkfifoat(fd, name, 0600), 0);
	must_fail(oci_layout_blob(layout, &d, 100, collect, &out, &err), ERR_INPUT, "not a regular file");
	must(io_remove_tree(AT_FDCWD, dir, &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_layers_are_kept_and_read),
		cmocka_unit_test(ends_of_other_tools_are_taken),
		cmocka_unit_test(own_layers_stay_strict_on_a_base),
		cmocka_unit_test(damaged_base_layers_are_refused),
		cmocka_unit_test(directory_in_place_of_a_link_is_refused),
		cmocka_unit_test(whiteouts_take_links_away),
		cmocka_unit_test(config_is_merged),
		cmocka_unit_test(little_given_keeps_the_rest),
		cmocka_unit_test(bad_manifests_are_refused),
		cmocka_unit_test(index_is_refused_with_the_digest_to_write),
		cmocka_unit_test(bad_configs_are_refused),
		cmocka_unit_test(blobs_of_a_tar),
		cmocka_unit_test(blobs_of_a_directory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
