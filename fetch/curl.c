/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/curl.h"

#include <dlfcn.h>
#include <errno.h>

static int find_all(struct curl *c, struct err *err)
{
#define CURL_FIND(name)                                                                                     \
	if ((c->name = (__typeof__(c->name))dlsym(c->handle, "curl_" #name)) == NULL)                       \
		return err_set(err, ERR_HOST, 0, "libcurl.so.4 has no curl_%s: version 7.86 or later is needed", #name);
	CURL_FUNCTIONS(CURL_FIND)
#undef CURL_FIND
	return 0;
}

int curl_load(struct curl *ret, struct err *err)
{
	struct curl c = { .handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) };

	if (c.handle == NULL)
		return err_set(err, ERR_HOST, 0, "load libcurl (Debian: libcurl4): %s", dlerror());
	/* Counted by libcurl, and safe beside other threads ("threadsafe" among the features of Debian's). */
	int result = find_all(&c, err);
	if (result == 0 && c.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		result = err_set(err, ERR_INTERNAL, ENOMEM, "start libcurl");
	if (result == 0)
		*ret = c;
	else
		(void)dlclose(c.handle);
	return result;
}

void curl_unload(struct curl *c)
{
	if (c->handle == NULL)
		return;
	c->global_cleanup();
	(void)dlclose(c->handle);
	*c = (struct curl){0};
}
