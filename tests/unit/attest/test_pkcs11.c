/* SPDX-License-Identifier: Apache-2.0 */
/* URIs of keys in tokens. That such a key signs is for tests/token. */
#include "tests/unit/attest/helper.h"

static struct err err;

static void asks(const char *uri, bool want)
{
	bool have = !want;

	must(key_token_asks(uri, &have, &err));
	assert_int_equal(have, want);
}

static void refused(const char *uri, const char *why)
{
	bool untouched = true;

	must_fail(key_token_asks(uri, &untouched, &err), ERR_USAGE, why);
	assert_true(untouched);
}

static void test_uris(void **state)
{
	auto_buf longest = {0};

	(void)state;
	assert_true(key_is_token("pkcs11:"));
	assert_false(key_is_token("pkcs11.pem"));
	assert_false(key_is_token("./pkcs11:x"));
	asks("pkcs11:token=a;object=b", true);
	asks("pkcs11:token=a?module-name=x", true);
	asks("pkcs11:token=a?module-path=/usr/lib/x.so", true);
	asks("pkcs11:token=a?module-path=%2Fusr%2flib%20x.so&pin-source=file:/x", false);
	asks("pkcs11:token=a?pin-source=file:/x&module-path=/y", false);
	refused("pkcs11:token=a?pin-value=1234", "does not belong into a URI");
	refused("pkcs11:token=a?module-path=/x&pin-value=1234", "does not belong into a URI");
	/* Where it has no business, the engine takes it all the same. */
	refused("pkcs11:token=a;pin-value=1234", "does not belong into a URI");
	refused("pkcs11:pin-value=1234;token=a", "does not belong into a URI");
	refused("pkcs11:token=a?module-path=/x;pin-value=1234", "does not belong into a URI");
	asks("pkcs11:token=a;pin-source=file:/x", false);
	asks("pkcs11:token=my-pin-source=x", true);
	refused("pkcs11:token=a?module-path=x.so", "an absolute path");
	refused("pkcs11:token=a?module-path=", "an absolute path");
	refused("pkcs11:token=a?module-path=/x%0", "an absolute path");
	refused("pkcs11:token=a?module-path=/x%zz", "an absolute path");
	refused("pkcs11:token=a?module-path=/x%00y", "an absolute path");
	buf_adds(&longest, "pkcs11:object=");
	for (int i = 0; i < 4096; i++)
		buf_addc(&longest, 'x');
	refused(longest.data, "longer than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uris),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
