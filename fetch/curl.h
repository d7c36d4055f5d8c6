/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file curl.h
 * libcurl, loaded when it is first needed. Linked, it and the twenty-odd libraries behind it nearly double what every start
 * of the program costs (design.md, fact 18), for commands that never speak to anybody. Loaded and started here, it works in a confined
 * process alone (http_child.h): what comes from outside never meets it in this one. Private to fetch/.
 */
#ifndef GB_FETCH_CURL_H
#define GB_FETCH_CURL_H

#include <curl/curl.h>

#include "base/base.h"

/** The functions that are used, each without its "curl_". */
#define CURL_FUNCTIONS(X)                                                                         \
	X(global_init) X(global_cleanup) X(easy_init) X(easy_cleanup) X(easy_setopt)              \
	X(easy_strerror) X(multi_init) X(multi_cleanup) X(multi_add_handle)                       \
	X(multi_remove_handle) X(multi_perform) X(multi_info_read) X(multi_poll)                  \
	X(multi_strerror) X(slist_append) X(slist_free_all)

/** The library. */
struct curl {
	void *handle;
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
	CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/** Loads and starts it. ERR_HOST where it is not there, with the package to install. */
int curl_load(struct curl *ret, struct err *err);

/** Undoes one curl_load(); the library stays mapped, for the sake of what it has registered in others. */
void curl_unload(struct curl *c);

#endif
