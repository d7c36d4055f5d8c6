/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file registry.h
 * What commands that speak to registries share.
 */
#ifndef GB_CLI_REGISTRY_H
#define GB_CLI_REGISTRY_H

#include "cli/cli.h"
#include "fetch/registry.h"

#define OPT_REGISTRY_MAP { "registry-map", "FROM=TO", "go to TO for what is named FROM (HOST[:PORT][/PATH] each); may be given several times", true }
#define OPT_INSECURE_REGISTRY { "insecure-registry", "HOST", "speak to this HOST[:PORT] without TLS; may be given several times", true }

/** Settings of registries, and the memory that they point into: stays where it is while they are used. */
struct cli_registry {
	struct registry_conf conf;
	struct fetch_net net;
	const char **maps, **insecure;
	const char *files[2];
	char *docker_file;
	char *helper_env[6];      /**< NULL-terminated */
};
#define auto_cli_registry __attribute__((cleanup(cli_registry_close))) struct cli_registry

/** Fills in a zero-initialised @p ret: --registry-map, --insecure-registry, proxies, docker's configuration. @p ident: whose right to read that,
 *  where this process works as a step's user (store_ident()); NULL where it does not. */
int cli_registry_open(const struct args *args, int cancel_fd, const struct ident *ident, struct cli_registry *ret, struct err *err);
void cli_registry_close(struct cli_registry *r);

#endif
