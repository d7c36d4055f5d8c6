/* SPDX-License-Identifier: Apache-2.0 */
/* Archives whose every hash is right and which still are no image of glovebox. */
#include "tests/unit/oci/helper.h"

static struct err err;

/** What to put wrong: a text in one of the documents, or more. All NULL: a good image. */
struct twist {
	const char *config_from, *config_to;
	const char *manifest_from, *manifest_to;
	const char *index_from, *index_to;
	const char *layout;
	bool drop_layer, drop_config, add_blob;
	const char *text;   /* the error says so */
};

/** The text with the first @p from replaced by @p to. */
static void twist_text(const struct buf *in, const char *from, const char *to, struct buf *out)
{
	const char *at = from != NULL ? strstr(in->data, from) : NULL;

	if (from == NULL) {
		buf_add(out, in->data, in->len);
		return;
	}
	if (at == NULL)
		fail_msg("no '%s' in %s", from, in->data);
	buf_add(out, in->data, (size_t)(at - in->data));
	buf_adds(out, to);
	buf_adds(out, at + strlen(from));
}

static void drop_blob(struct parts *p, const struct digest *d)
{
	for (size_t i = 0; i < p->nblobs; i++)
		if (digest_eq(&p->blobs[i].digest, d)) {
			buf_free(&p->blobs[i].data);
			p->blobs[i] = p->blobs[--p->nblobs];
			return;
		}
}

/** An image with the twist in it, all digests and sizes set right around it. */
static int twisted(const struct twist *t)
{
	struct parts p = { .layout = t->layout };
	struct oci_layer_file file;
	struct oci_config config = small_config();
	auto_buf text = { 0 }, manifest_text = { 0 }, index_text = { 0 }, out = { 0 }, manifest_out = { 0 };
	size_t n;

	small_layer(OCI_NONE, "hello", &file);
	auto_free uint8_t *tar = slurp(file.fd, &n);
	close(file.fd);
	struct descriptor layer = { MEDIA_LAYER_TAR, parts_add(&p, tar, n), n };
	must(document_config(&config, &file, 1, &text, &err));
	twist_text(&text, t->config_from, t->config_to, &out);
	struct descriptor cd = { MEDIA_CONFIG, parts_add(&p, out.data, out.len), out.len };
	must(document_manifest(&cd, &layer, 1, &manifest_text, &err));
	twist_text(&manifest_text, t->manifest_from, t->manifest_to, &manifest_out);
	struct descriptor md = { MEDIA_MANIFEST, parts_add(&p, manifest_out.data, manifest_out.len), manifest_out.len };
	must(document_index(&md, "amd64", "latest", &index_text, &err));
	twist_text(&index_text, t->index_from, t->index_to, &p.index);
	if (t->drop_layer)
		drop_blob(&p, &layer.digest);
	if (t->drop_config)
		drop_blob(&p, &cd.digest);
	if (t->add_blob)
		parts_add(&p, "stowaway", 8);
	return parts_file(&p);
}

static void the_untwisted_one_is_read(void **state)
{
	(void)state;
	struct twist none = { 0 };
	auto_fd fd = twisted(&none);

	must(try_read(fd, true, &err));
}

static void twists_are_refused(void **state)
{
	(void)state;
#define ID "\"sha256:"
	static const struct twist twists[] = {
		{ .layout = "{\"imageLayoutVersion\":\"1.0.1\"}", .text = "member oci-layout at offset 512" },
		{ .layout = "", .text = "member oci-layout" },
		{ .drop_layer = true, .text = "missing" },
		{ .drop_config = true, .text = "missing" },
		{ .add_blob = true, .text = "no part of the image names it" },
		/* index.json */
		{ .index_from = "{", .index_to = " {", .text = "differs from what glovebox writes" },
		{ .index_from = "\"schemaVersion\":2}", .index_to = "\"schemaVersion\":2}\n", .text = "differs" },
		{ .index_from = "\"schemaVersion\":2}", .index_to = "\"schemaVersion\":2}x", .text = "not valid JSON" },
		{ .index_from = "\"schemaVersion\":2", .index_to = "\"schemaVersion\":3", .text = "differs" },
		{ .index_from = "\"schemaVersion\":2", .index_to = "\"schemaVersion\":2,\"schemaVersion\":2", .text = "not valid JSON" },
		{ .index_from = "\"schemaVersion\":2", .index_to = "\"subject\":{},\"schemaVersion\":2", .text = "differs" },
		{ .index_from = "\"manifests\":[", .index_to = "\"manifests\":[],\"x\":[", .text = "exactly one manifest" },
		{ .index_from = "}],", .index_to = "},{}],", .text = "exactly one manifest" },
		{ .index_from = MEDIA_MANIFEST, .index_to = MEDIA_INDEX, .text = "media type is not" },
		{ .index_from = MEDIA_INDEX, .index_to = MEDIA_MANIFEST, .text = "differs" },
		{ .index_from = "amd64", .index_to = "arm64", .text = "differs" },
		{ .index_from = "\"os\":\"linux\"", .index_to = "\"os\":\"linux\",\"variant\":\"v2\"", .text = "differs" },
		{ .index_from = "latest", .index_to = "late st", .text = "not a reference name" },
		{ .index_from = "\"latest\"", .index_to = "1", .text = "differs" },
		{ .index_from = "\"size\":", .index_to = "\"size\":1", .text = "its descriptor says" },
		{ .index_from = "\"size\":", .index_to = "\"size\":-", .text = "exactly one manifest" },
		{ .index_from = ID, .index_to = "\"sha512:", .text = "exactly one manifest" },
		{ .index_from = ID, .index_to = ID "../", .text = "exactly one manifest" },
		/* manifest */
		{ .manifest_from = "{", .manifest_to = "{ ", .text = "not in canonical form" },
		{ .manifest_from = "\"layers\":[", .manifest_to = "\"layers\":[],\"x\":[", .text = "not in canonical form" },
		{ .manifest_from = "\"schemaVersion\":2", .manifest_to = "\"schemaVersion\":1", .text = "differs from what" },
		{ .manifest_from = "\"schemaVersion\":2", .manifest_to = "\"schemaVersion\":2,\"subject\":{}", .text = "differs from what" },
		{ .manifest_from = "\"schemaVersion\":2", .manifest_to = "\"schemaVersion\":2.0", .text = "differs from what" },
		{ .manifest_from = MEDIA_CONFIG, .manifest_to = "application/vnd.oci.empty.v1+json", .text = "its config is not" },
		{ .manifest_from = MEDIA_LAYER_TAR, .manifest_to = MEDIA_LAYER_TAR "+xz", .text = "layer 0: not a descriptor" },
		{ .manifest_from = MEDIA_LAYER_TAR, .manifest_to = "application/vnd.oci.image.layer.nondistributable.v1.tar",
		  .text = "layer 0: not a descriptor" },
		{ .manifest_from = MEDIA_MANIFEST, .manifest_to = "application/vnd.docker.distribution.manifest.v2+json",
		  .text = "differs from what" },
		{ .manifest_from = "\"layers\":[{", .manifest_to = "\"layers\":[", .text = "not valid JSON" },
		{ .manifest_from = "\"size\":", .manifest_to = "\"size\":1", .text = "its descriptor says" },
		/* config */
		{ .config_from = "\"os\"", .config_to = "\"OS\"", .text = "not in canonical form" },
		{ .config_from = "linux", .config_to = "windows", .text = "not for linux" },
		{ .config_from = "\"type\":\"layers\"", .config_to = "\"type\":\"layer\"", .text = "as many diff IDs" },
		{ .config_from = "\"diff_ids\":[", .config_to = "\"diff_ids\":[\"sha256:\",", .text = "as many diff IDs" },
		{ .config_from = "\"diff_ids\":[" ID, .config_to = "\"diff_ids\":[" ID "0", .text = "no SHA-256 digest" },
		{ .config_from = "\"history\":[{", .config_to = "\"history\":[{},{", .text = "another number of layers" },
		{ .config_from = "\"architecture\":\"amd64\"", .config_to = "\"architecture\":6", .text = "without an architecture" },
		{ .config_from = "amd64", .config_to = "arm64", .text = "differs from what" },
		{ .config_from = "{", .config_to = "[", .text = "not valid JSON" },
	};

	for (size_t i = 0; i < ARRAY_LEN(twists); i++) {
		auto_fd fd = twisted(&twists[i]);

		must_fail(try_read(fd, true, &err), ERR_UNVERIFIED, twists[i].text);
		must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, twists[i].text);
	}
}

/** A good image with one block put in before a member. */
static void block_before(const char *member, const char *block, const char *text)
{
	struct digest d;
	size_t n;
	auto_buf out = { 0 };
	auto_fd fd = small_image(OCI_NONE, NULL, &d);
	auto_free uint8_t *data = slurp(fd, &n);
	uint8_t *at = memmem(data, n, member, strlen(member));

	buf_add(&out, data, (size_t)(at - data));
	buf_add(&out, block, TAR_BLOCK);
	buf_add(&out, at, n - (size_t)(at - data));
	auto_fd twisted_fd = mem_file(out.data, out.len);
	must_fail(try_read(twisted_fd, false, &err), ERR_UNVERIFIED, text);
}

static void odd_members_are_refused(void **state)
{
	(void)state;
	static const struct { const char *name; char type; const char *text; } members[] = {
		{ "././@PaxHeader", 'x', "'././@PaxHeader' at offset" },
		{ "pax_global_header", 'g', "not one that an image of glovebox has" },
		{ "././@LongLink", 'L', "not one that an image" },
		{ "blobs/sha256/../x", '0', "'blobs/sha256/../x'" },
		{ "/etc/passwd", '0', "'/etc/passwd'" },
		{ "blobs/sha256/link", '2', "not one that an image" },
		{ "manifest.json", '0', "not one that an image" },
		{ "blobs/sha256/0000000000000000000000000000000000000000000000000000000000000000", '2', "header's mode differs" },
		{ "blobs/sha256/\033[2J", '0', "'blobs/sha256/\\033[2J'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		auto_buf block = { 0 };

		raw_header(&block, members[i].name, members[i].type, "0000600", "00000000000", "");
		block_before("blobs/sha256/0", block.data, members[i].text);
	}
	auto_buf block = { 0 };
	raw_zeros(&block, TAR_BLOCK);
	block_before("blobs/sha256/0", block.data, "end of the archive: the byte at offset");
	block_before("oci-layout", block.data, "member oci-layout at offset 0");
	block_before("index.json", block.data, "member index.json at offset 1024: its header's name differs");
}

static void duplicate_and_unsorted_blobs_are_refused(void **state)
{
	(void)state;
	struct digest d;
	size_t n;
	auto_fd fd = small_image(OCI_NONE, NULL, &d);
	auto_free uint8_t *data = slurp(fd, &n);
	auto_buf out = { 0 };
	char name[OUTER_BLOB_NAME_SIZE];
	struct digest last = { .b = { 0 } };

	outer_file_header(outer_blob_name(&last, name), 0, &out);   /* sorts first, stands last */
	auto_fd twisted_fd = mem_file(data, n - TAR_END);
	assert_int_equal(pwrite(twisted_fd, out.data, out.len, (off_t)(n - TAR_END)), (ssize_t)out.len);
	must_fail(try_read(twisted_fd, false, &err), ERR_UNVERIFIED, "a duplicate, or out of order");
}

/** Sizes that would run past the file or wrap around. */
static void sizes_past_the_end_are_refused(void **state)
{
	(void)state;
	auto_buf out = { 0 };

	outer_file_header(OUTER_LAYOUT, TAR_NUMBER_MAX, &out);
	auto_fd fd = mem_file(out.data, out.len);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "ends within its 8589934591 bytes");
	struct tar_header *h = (void *)out.data;
	memset(h->size, 0xff, sizeof h->size);
	auto_fd binary = mem_file(out.data, out.len);
	must_fail(try_read(binary, false, &err), ERR_UNVERIFIED, "header's size differs");
}

static void oversize_documents_are_refused_unread(void **state)
{
	(void)state;
	struct parts p = { 0 };

	for (size_t i = 0; i <= OCI_JSON_MAX; i++)
		buf_addc(&p.index, ' ');
	auto_fd fd = parts_file(&p);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "a document may have");
}

static void too_many_blobs_are_refused(void **state)
{
	(void)state;
	auto_buf out = { 0 };
	char name[OUTER_BLOB_NAME_SIZE];

	outer_file_header(OUTER_LAYOUT, 0, &out);
	outer_file_header(OUTER_INDEX, 0, &out);
	outer_dir_header(OUTER_BLOBS, &out);
	outer_dir_header(OUTER_SHA256, &out);
	for (unsigned i = 0; i <= OCI_MEMBERS_MAX; i++) {
		struct digest d = { .b = { (uint8_t)(i >> 8), (uint8_t)i } };

		outer_file_header(outer_blob_name(&d, name), 0, &out);
	}
	raw_zeros(&out, TAR_END);
	auto_fd fd = mem_file(out.data, out.len);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "more than 4096 blobs");
}

/** One blob that is named both as layer and as config. */
static void a_blob_has_one_role(void **state)
{
	(void)state;
	struct parts p = { 0 };
	struct oci_config config = small_config();
	struct oci_layer_file file = { .codec = OCI_NONE };
	auto_buf text = { 0 }, manifest = { 0 };

	must(document_config(&config, &file, 1, &text, &err));
	struct descriptor cd = { MEDIA_CONFIG, parts_add(&p, text.data, text.len), text.len };
	struct descriptor layer = { MEDIA_LAYER_GZIP, cd.digest, cd.size };
	must(document_manifest(&cd, &layer, 1, &manifest, &err));
	struct descriptor md = { MEDIA_MANIFEST, parts_add(&p, manifest.data, manifest.len), manifest.len };
	must(document_index(&md, "amd64", NULL, &p.index, &err));
	auto_fd fd = parts_file(&p);
	must_fail(try_read(fd, false, &err), ERR_UNVERIFIED, "one blob in two roles");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_untwisted_one_is_read),
		cmocka_unit_test(twists_are_refused),
		cmocka_unit_test(odd_members_are_refused),
		cmocka_unit_test(duplicate_and_unsorted_blobs_are_refused),
		cmocka_unit_test(sizes_past_the_end_are_refused),
		cmocka_unit_test(oversize_documents_are_refused_unread),
		cmocka_unit_test(too_many_blobs_are_refused),
		cmocka_unit_test(a_blob_has_one_role),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
