/* SPDX-License-Identifier: Apache-2.0 */
/* The table itself, and how to walk it. */
#include "spec/schema.h"

#include <string.h>

#include "base/own.h"

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

/** Where a row is stored: a member of TYPE. */
#define AT(type, member) .at = offsetof(type, member), .width = sizeof(((type *)0)->member)
#define NOTED(type, member) .noted = true, .pos_at = offsetof(type, member)
#define NOT_STORED .at = SCHEMA_NOWHERE

#define ROW(p, t, ...) { .path = p, .type = SCHEMA_##t, __VA_ARGS__ }

/** A field that this version knows and refuses; MAP rows may have more such rows below. */
#define LATER(p, t, text) \
	{ .path = p, .type = SCHEMA_##t, .status = SCHEMA_LATER, .at = SCHEMA_NOWHERE, .help = text }

/** Texts in which what git says of the spec's checkout is filled in. */
#define PLACEHOLDERS .placeholders = true

/** A day's worth of seconds, in milliseconds. */
#define DAY_MS (24 * 60 * 60 * 1000ll)
#define MI (1024ll * 1024)

/** Entries of lists: far more than anyone wants, few enough to bound the work that each makes. */
#define INCLUDES_MAX 16
#define SOURCES_MAX 64
#define TESTS_MAX 256
#define STRINGS_MAX 1024
#define LAYERS_MAX 64
#define ID_MAX 4294967294ll

static const char *const words_network[] = { [SPEC_NET_NONE] = "none", [SPEC_NET_LOOPBACK] = "loopback", NULL };
static const char *const words_workdir[] = { [SPEC_WORKDIR_MEMORY] = "memory", [SPEC_WORKDIR_DISK] = "disk", NULL };
static const char *const words_enforcement[] = { [SPEC_LIMITS_ENFORCE] = "enforce", [SPEC_LIMITS_BEST_EFFORT] = "best-effort", NULL };
static const char *const words_compression[] = {
	[SPEC_GZIP] = "gzip", [SPEC_ZSTD] = "zstd", [SPEC_UNCOMPRESSED] = "none", NULL
};

/** What the build and every test have in common, as members of T below M (nothing, or "build."). */
#define STEP_ROWS(p, T, M)                                                                                   \
	ROW(p ".command", STRING, AT(T, M command.shell), NOTED(T, M command.pos),              \
	    .form = &form_script, .help = "Shell script, run as /bin/sh -e -c COMMAND."),                    \
	ROW(p ".argv", STRINGS, AT(T, M command.argv), NOTED(T, M command.pos), .min = 1,       \
	    .max = STRINGS_MAX, .form = &form_argument, .help = "Program and arguments, run without a shell."), \
	ROW(p ".workdir", STRING, AT(T, M workdir), .form = &form_mount,                                     \
	    .help = "Directory to run in: a source's mount or below one. Without it, the first source's mount."), \
	ROW(p ".timeout", DURATION, AT(T, M timeout_ms), .min = 1, .max = 30 * DAY_MS,                       \
	    .help = "The step is killed and fails when it runs longer."),                                    \
	ROW(p ".resources", MAP, NOT_STORED, .help = "Limits of the step."),                                 \
	ROW(p ".resources.cpu", STRING, AT(T, M limits.cpu), .form = &form_cpus,                             \
	    .help = "Processors that the step may use, such as \"1.5\". Needs a cgroup."),                   \
	ROW(p ".resources.memory", SIZE, AT(T, M limits.memory), .min = MI, .max = MI * MI,                  \
	    .help = "Memory and swap that the step may use. Needs a cgroup."),                               \
	ROW(p ".resources.pids", INT, AT(T, M limits.pids), .min = 1, .max = 4194304,                        \
	    .help = "Most processes and threads at a time. Without it, 4096."),                              \
	ROW(p ".resources.tmp", SIZE, AT(T, M limits.tmp), .min = MI, .max = MI * MI,                        \
	    .help = "Size of /tmp, /dev/shm and the home directory together. Without it, 4Gi."),             \
	ROW(p ".resources.files", INT, AT(T, M limits.files), .min = 16, .max = 1048576,                     \
	    .help = "Most open files of one process. Without it, 4096."),                                    \
	ROW(p ".resources.fileSize", SIZE, AT(T, M limits.file_size), .min = MI, .max = MI * MI,             \
	    .help = "Size of the largest file that the step may write. Without it, 64Gi."),                  \
	ROW(p ".resources.work", SIZE, AT(T, M limits.work), .min = MI, .max = MI * MI,                      \
	    .help = "What the step may write to its work directory. Without it, 32Gi."),                     \
	ROW(p ".resources.workFiles", INT, AT(T, M limits.work_files), .min = 16, .max = 1000000000,         \
	    .help = "Files and directories that it may make there. Without it, 1000000."),                   \
	ROW(p ".resources.output", SIZE, AT(T, M limits.output), .min = MI, .max = MI * MI,                   \
	    .help = "What it may write to standard output and standard error together. Without it, 4Gi.")

static const char *const one_command[] = { "command", "argv", NULL };
static const char *const one_origin[] = { "path", "url", "git", NULL };
static const char *const one_version[] = { "commit", "ref", NULL };

const struct schema_row schema_root = ROW("", MAP, NOT_STORED, .help = "A BuildSpec of glovebox(1).");

static const struct schema_row rows[] = {
	ROW("apiVersion", WORD, NOT_STORED, .required = true, .words = WORDS("platform.build/v1"),
	    .help = "Version of this format."),
	ROW("kind", WORD, NOT_STORED, .required = true, .words = WORDS("BuildSpec"), .help = "What this file is."),

	ROW("metadata", MAP, NOT_STORED, .required = true, .help = "What the build is called."),
	ROW("metadata.name", STRING, AT(struct spec, name), .required = true, .form = &form_name,
	    .help = "Name of what is built."),
	ROW("metadata.labels", PAIRS, AT(struct spec, labels), .key_form = &form_label_name, .form = &form_value,
	    PLACEHOLDERS, .help = "Labels for people and machines; they change nothing in the build."),

	ROW("spec", MAP, NOT_STORED, .required = true, .help = "The build."),
	ROW("spec.language", STRING, AT(struct spec, language), .form = &form_version,
	    .help = "Language of the project. Without rootfs.ref it names, with runtimeVersion, the root filesystem to look up in buildspec.lock."),
	ROW("spec.runtimeVersion", STRING, AT(struct spec, runtime_version), .form = &form_version,
	    .help = "Version of the language's runtime, in quotes where it looks like a number."),
	ROW("spec.include", LIST, AT(struct spec, includes), .n_at = offsetof(struct spec, nincludes),
	    .item_size = sizeof(struct spec_include), .item_pos_at = offsetof(struct spec_include, pos), .min = 1, .max = INCLUDES_MAX,
	    .help = "Partial specs whose fields count where this one does not give its own; of two, the later one's do."),
	ROW("spec.include[].path", STRING, AT(struct spec_include, path), .required = true, .form = &form_inner_path,
	    .help = "The file, relative to the spec."),
	ROW("spec.include[].digest", STRING, AT(struct spec_include, digest), .required = true, .form = &form_digest,
	    NOTED(struct spec_include, digest_pos), .help = "The digest of its bytes."),
	ROW("spec.gitignore", BOOL, NOT_STORED, .dflt = "true",
	    .help = "Whether the implied source leaves out what .gitignore files name. Only without sources."),

	ROW("spec.rootfs", MAP, NOT_STORED, .help = "The root filesystem that steps run on."),
	ROW("spec.rootfs.ref", STRING, AT(struct spec, rootfs_ref), NOTED(struct spec, rootfs_pos),
	    .form = &form_rootfs,
	    .help = "Which root filesystem: an imported one, a tree's digest, one in a registry, or a name that buildspec.lock pins."),
	ROW("spec.rootfs.mode", WORD, NOT_STORED, .words = WORDS("readonly"), .dflt = "readonly",
	    .help = "Steps cannot write to it."),

	ROW("spec.sandbox", MAP, NOT_STORED, .help = "What all steps see and may do."),
	ROW("spec.sandbox.profile", STRING, AT(struct spec, profile), NOTED(struct spec, profile_pos),
	    .form = &form_profile, .dflt = "default", .help = "System call profile: a shipped one's name or a file (glovebox-profile(5))."),
	ROW("spec.sandbox.network", CHOICE, AT(struct spec, network), .words = words_network, .dflt = "none",
	    .help = "Network of the build step: none at all, or its own loopback interface."),
	ROW("spec.sandbox.user", MAP, NOT_STORED, .help = "Who a step is inside the sandbox."),
	ROW("spec.sandbox.user.uid", INT, AT(struct spec, uid), .or_zero = true, .min = 1000, .max = 65533, .dflt = "1000",
	    .help = "User id. 0 has no capabilities either."),
	ROW("spec.sandbox.user.gid", INT, AT(struct spec, gid), .or_zero = true, .min = 1000, .max = 65533, .dflt = "1000",
	    .help = "Group id."),
	ROW("spec.sandbox.hostname", STRING, AT(struct spec, hostname), .form = &form_hostname, .dflt = "glovebox",
	    .help = "Host name inside."),
	ROW("spec.sandbox.clock", MAP, NOT_STORED, .help = "What time a step is told."),
	ROW("spec.sandbox.clock.sourceDateEpoch", INT, AT(struct spec, source_date_epoch), .min = 0, .max = 253402300799,
	    NOTED(struct spec, epoch_pos), .dflt = "315532800", .or_fact = SPEC_COMMIT_TIME,
	    .help = "SOURCE_DATE_EPOCH of every step and time of the image, in seconds since 1970."),
	ROW("spec.sandbox.env", PAIRS, AT(struct spec, env), .key_form = &form_env_name, .form = &form_value, PLACEHOLDERS,
	    .help = "Environment variables of every step, besides those that glovebox sets. Not SOURCE_DATE_EPOCH."),
	ROW("spec.sandbox.proc", WORD, NOT_STORED, .words = WORDS("masked"), .dflt = "masked",
	    .help = "Files of /proc that tell about the host are masked."),
	ROW("spec.sandbox.workdir", CHOICE, AT(struct spec, workdir), .words = words_workdir, .dflt = "memory",
	    .help = "Where pristine sources are kept during a run: in memory, or on disk when they are large."),
	ROW("spec.sandbox.limits", CHOICE, AT(struct spec, limits), .words = words_enforcement, .dflt = "enforce",
	    .help = "What becomes of a limit that this host cannot enforce: the run is refused, or it is passed over, and the provenance says so."),

	ROW("spec.sources", LIST, AT(struct spec, sources), .n_at = offsetof(struct spec, nsources),
	    .item_size = sizeof(struct spec_source), .item_pos_at = offsetof(struct spec_source, pos),
	    .min = 1, .max = SOURCES_MAX, .one_of = one_origin,
	    .help = "What steps see. Without it, the spec's own directory is source src on /src."),
	ROW("spec.sources[].name", STRING, AT(struct spec_source, name), .required = true, .form = &form_name,
	    .help = "Name, unique among the sources."),
	ROW("spec.sources[].git", MAP, NOT_STORED, .one_of = one_version,
	    .help = "The tree of one commit of a git repository."),
	ROW("spec.sources[].git.url", STRING, AT(struct spec_source, git_url), .required = true, .form = &form_git_url,
	    .help = "The repository: on this machine, relative to the spec or absolute, or to be fetched."),
	ROW("spec.sources[].git.commit", STRING, AT(struct spec_source, git_commit), .form = &form_commit,
	    .help = "The commit, by its whole hash."),
	ROW("spec.sources[].git.ref", STRING, AT(struct spec_source, git_ref), .form = &form_git_ref,
	    .help = "A branch or tag, which buildspec.lock pins to a commit."),
	ROW("spec.sources[].git.submodules", BOOL, AT(struct spec_source, git_submodules), .dflt = "false",
	    .help = "Whether submodules are there, each at the commit that the tree names, or are empty directories."),
	LATER("spec.sources[].fetch", MAP, "The output of a command with network access, pinned by digest."),
	LATER("spec.sources[].fetch.command", STRING, "The command, which writes to $OUT."),
	LATER("spec.sources[].fetch.inputs", STRINGS, "Files of other sources that it reads."),
	LATER("spec.sources[].fetch.network", MAP, "What it may reach."),
	LATER("spec.sources[].fetch.network.allow", STRINGS, "HOST:PORT that it may reach."),
	LATER("spec.sources[].fetch.output", MAP, "What it gives."),
	LATER("spec.sources[].fetch.output.mode", STRING, "tree or flat."),
	LATER("spec.sources[].fetch.output.digest", STRING, "The digest of the output."),
	ROW("spec.sources[].url", STRING, AT(struct spec_source, url), .form = &form_url,
	    .help = "A file to fetch; steps see it below the mount, under the last element of the URL's path, or what is in it."),
	ROW("spec.sources[].digest", STRING, AT(struct spec_source, digest), .form = &form_digest,
	    .help = "The digest of that file. Without it, buildspec.lock has to pin one."),
	ROW("spec.sources[].size", SIZE, AT(struct spec_source, size), .min = 1, .max = MI * MI, .help = "The size of that file."),
	ROW("spec.sources[].unpack", BOOL, AT(struct spec_source, unpack), .dflt = "false",
	    .help = "Whether that file is an archive, tar or zip, whose content steps see in its place."),
	ROW("spec.sources[].path", STRING, AT(struct spec_source, path), .form = &form_host_path,
	    .help = "A directory to snapshot, relative to the spec."),
	ROW("spec.sources[].exclude", STRINGS, AT(struct spec_source, exclude), .max = STRINGS_MAX, .form = &form_glob,
	    .help = "Patterns of files to leave out, in the syntax of .gitignore."),
	ROW("spec.sources[].gitignore", BOOL, AT(struct spec_source, gitignore), .dflt = "false",
	    .help = "Whether to leave out what .gitignore files inside it name."),
	ROW("spec.sources[].mount", STRING, AT(struct spec_source, mount), .form = &form_mount,
	    .help = "Where steps see it; no mount may lie inside another. Without it, / and the name."),

	LATER("spec.steps", LIST, "Several build steps with inputs and outputs of their own."),
	LATER("spec.steps[].name", STRING, "Name of the step."),
	LATER("spec.steps[].command", STRING, "Shell script."),
	LATER("spec.steps[].argv", STRINGS, "Program and arguments."),
	LATER("spec.steps[].workdir", STRING, "Directory to run in."),
	LATER("spec.steps[].needs", STRINGS, "Steps that run before."),
	LATER("spec.steps[].inputs", STRINGS, "Sources and outputs that the step sees."),
	LATER("spec.steps[].outputs", LIST, "What the step hands on."),
	LATER("spec.steps[].outputs[].name", STRING, "Name of the output."),
	LATER("spec.steps[].outputs[].path", STRING, "Where the step leaves it."),
	LATER("spec.steps[].seccomp", MAP, "The step's own profile."),
	LATER("spec.steps[].seccomp.profile", STRING, "Profile to begin with."),
	LATER("spec.steps[].seccomp.deny", STRINGS, "System calls to deny besides."),
	LATER("spec.steps[].resources", MAP, "Limits of the step."),
	LATER("spec.steps[].resources.cpu", STRING, "Processors."),
	LATER("spec.steps[].resources.memory", SIZE, "Memory."),
	LATER("spec.steps[].resources.pids", INT, "Processes and threads."),
	LATER("spec.steps[].resources.tmp", SIZE, "Size of /tmp."),
	LATER("spec.steps[].resources.files", INT, "Open files."),
	LATER("spec.steps[].timeout", DURATION, "Longest time."),
	LATER("spec.steps[].retry", MAP, "When to try again."),
	LATER("spec.steps[].retry.attempts", INT, "How often."),
	LATER("spec.steps[].reproducible", MAP, "Run the step again and compare."),
	LATER("spec.steps[].reproducible.check", INT, "How many runs."),
	LATER("spec.steps[].reproducible.vary", STRINGS, "What to vary between them."),
	LATER("spec.steps[].secrets", LIST, "Secrets that the step may read."),
	LATER("spec.steps[].secrets[].name", STRING, "Name of the secret."),
	LATER("spec.steps[].secrets[].mount", STRING, "File that holds it."),

	ROW("spec.build", MAP, NOT_STORED, .required = true, NOTED(struct spec, build.pos), .one_of = one_command,
	    .help = "The build step, named build, and what comes out of it."),
	STEP_ROWS("spec.build", struct spec, build.),
	ROW("spec.build.reproducible", MAP, NOT_STORED, .help = "Run the build again and compare: one that leaves something else has failed."),
	ROW("spec.build.reproducible.check", INT, AT(struct spec, reproducible.check), .required = true, .min = 2, .max = 100,
	    .help = "How many times it runs altogether."),
	ROW("spec.build.reproducible.vary", STRINGS, AT(struct spec, reproducible.vary), .min = 1, .max = STRINGS_MAX, .form = &form_vary,
	    .help = "What is different then, each in a run of its own, or all (glovebox-reproduce(1)). Without it, nothing."),
	ROW("spec.build.artifact", MAP, NOT_STORED, NOTED(struct spec, artifact.pos), .help = "The image to make."),
	ROW("spec.build.artifact.type", WORD, NOT_STORED, .words = WORDS("oci-image"), .dflt = "oci-image",
	    .help = "An OCI image layout in a tar file."),
	ROW("spec.build.artifact.imageName", STRING, AT(struct spec, artifact.image_name), NOTED(struct spec, artifact.image_name_pos),
	    .form = &form_image_name,
	    .help = "Name of the image, without a tag."),
	ROW("spec.build.artifact.base", STRING, AT(struct spec, artifact.base), NOTED(struct spec, artifact.base_pos),
	    .form = &form_base, .dflt = "rootfs",
	    .help = "What lies below the layers: the root filesystem, nothing, or an OCI image that is pinned by its manifest's digest."),
	ROW("spec.build.artifact.layers", LIST, AT(struct spec, artifact.layers), .n_at = offsetof(struct spec, artifact.nlayers),
	    .item_size = sizeof(struct spec_layer), .item_pos_at = offsetof(struct spec_layer, pos), .min = 1, .max = LAYERS_MAX,
	    .help = "Layers of the image, the lowest first. Without it, one: the build's output at its own path."),
	ROW("spec.build.artifact.layers[].from", STRING, AT(struct spec_layer, from), .required = true, .form = &form_layer_from,
	    .help = "A source, as it was before the build, or build: and the source that the build worked in, as it left it."),
	ROW("spec.build.artifact.layers[].to", STRING, AT(struct spec_layer, to), .required = true, .form = &form_image_path,
	    .help = "Where in the image; directories on the way to it are made (0755, 0:0)."),
	ROW("spec.build.artifact.layers[].uid", INT, AT(struct spec_layer, uid), .min = 0, .max = ID_MAX, .dflt = "0",
	    .help = "Owner of all that is in it."),
	ROW("spec.build.artifact.layers[].gid", INT, AT(struct spec_layer, gid), .min = 0, .max = ID_MAX, .dflt = "0",
	    .help = "Group of all that is in it."),
	ROW("spec.build.artifact.layers[].mode", STRING, AT(struct spec_layer, mode), .form = &form_mode,
	    .help = "Mode of all files in it, in quotes; directories can be entered besides by whoever may read. Without it, as they are."),
	ROW("spec.build.artifact.config", MAP, NOT_STORED, .help = "Configuration of the image (OCI image-spec)."),
	ROW("spec.build.artifact.config.entrypoint", STRINGS, AT(struct spec, artifact.config.entrypoint), .max = STRINGS_MAX,
	    .form = &form_argument, .help = "Program and first arguments."),
	ROW("spec.build.artifact.config.cmd", STRINGS, AT(struct spec, artifact.config.cmd), .max = STRINGS_MAX,
	    .form = &form_argument, .help = "Default arguments."),
	ROW("spec.build.artifact.config.env", PAIRS, AT(struct spec, artifact.config.env), .key_form = &form_env_name,
	    .form = &form_value, PLACEHOLDERS, .help = "Environment variables of the image."),
	ROW("spec.build.artifact.config.user", STRING, AT(struct spec, artifact.config.user), .form = &form_image_user,
	    .help = "User that the program runs as."),
	ROW("spec.build.artifact.config.labels", PAIRS, AT(struct spec, artifact.config.labels), .key_form = &form_label_name,
	    .form = &form_value, PLACEHOLDERS, .help = "Labels of the image."),
	ROW("spec.build.artifact.config.workingDir", STRING, AT(struct spec, artifact.config.workdir), .form = &form_image_path,
	    .help = "Directory that the program starts in."),
	ROW("spec.build.artifact.config.exposedPorts", STRINGS, AT(struct spec, artifact.config.ports), .max = STRINGS_MAX,
	    .form = &form_port, .help = "Ports that the program listens on."),
	ROW("spec.build.artifact.config.volumes", STRINGS, AT(struct spec, artifact.config.volumes), .max = STRINGS_MAX,
	    .form = &form_image_path, .help = "Directories that outlive a container."),
	ROW("spec.build.artifact.config.stopSignal", STRING, AT(struct spec, artifact.config.stop_signal), .form = &form_signal,
	    .help = "Signal that asks the program to end."),
	ROW("spec.build.artifact.config.author", STRING, AT(struct spec, artifact.config.author), .form = &form_line,
	    .help = "Who made the image."),
	ROW("spec.build.artifact.config.healthcheck", MAP, NOT_STORED, .one_of = one_command,
	    .help = "How to find out whether the program is well (docker's extension of the image's configuration)."),
	ROW("spec.build.artifact.config.healthcheck.command", STRING, AT(struct spec, artifact.config.health.command.shell),
	    .form = &form_script, .help = "Shell script to run in the container."),
	ROW("spec.build.artifact.config.healthcheck.argv", STRINGS, AT(struct spec, artifact.config.health.command.argv), .min = 1,
	    .max = STRINGS_MAX, .form = &form_argument, .help = "Program and arguments to run in the container, without a shell."),
	ROW("spec.build.artifact.config.healthcheck.interval", DURATION, AT(struct spec, artifact.config.health.interval_ms), .min = 1,
	    .max = 30 * DAY_MS, .help = "Time between two checks."),
	ROW("spec.build.artifact.config.healthcheck.timeout", DURATION, AT(struct spec, artifact.config.health.timeout_ms), .min = 1,
	    .max = 30 * DAY_MS, .help = "A check that takes longer has failed."),
	ROW("spec.build.artifact.config.healthcheck.startPeriod", DURATION, AT(struct spec, artifact.config.health.start_period_ms),
	    .min = 1, .max = 30 * DAY_MS, .help = "Time to start in, during which failures do not count."),
	ROW("spec.build.artifact.config.healthcheck.retries", INT, AT(struct spec, artifact.config.health.retries), .min = 1, .max = 1000,
	    .help = "Failures in a row that it takes to be unwell."),
	ROW("spec.build.artifact.compression", CHOICE, AT(struct spec, artifact.compression), .words = words_compression,
	    .dflt = "gzip", .help = "Compression of the layers."),

	ROW("spec.tests", LIST, AT(struct spec, tests), .n_at = offsetof(struct spec, ntests),
	    .item_size = sizeof(struct spec_step), .item_pos_at = offsetof(struct spec_step, pos),
	    .max = TESTS_MAX, .one_of = one_command, .help = "Tests, each run on its own copy of what the build left."),
	ROW("spec.tests[].name", STRING, AT(struct spec_step, name), .required = true, .form = &form_name,
	    .help = "Name, unique among the tests, and not build."),
	STEP_ROWS("spec.tests[]", struct spec_step, ),
	ROW("spec.tests[].required", BOOL, AT(struct spec_step, required), .dflt = "true",
	    .help = "Whether the run fails when the test does."),
	ROW("spec.tests[].kind", STRING, AT(struct spec_step, kind), .form = &form_name,
	    .help = "What kind of test it is, such as unit or integration."),
	ROW("spec.tests[].network", CHOICE, AT(struct spec_step, network), .words = words_network, .dflt = "loopback",
	    .help = "Network of the test."),
	ROW("spec.tests[].reports", MAP, NOT_STORED, .help = "Reports that the test writes."),
	ROW("spec.tests[].reports.junit", STRING, AT(struct spec_step, junit), NOTED(struct spec_step, junit_pos), .form = &form_inner_path,
	    .dflt = "reports/*.xml",
	    .help = "Its JUnit reports: a pattern in the syntax of .gitignore, seen from its work directory. Given, the test has failed that leaves none."),
	LATER("spec.tests[].reports.coverage", MAP, "The coverage report."),
	LATER("spec.tests[].reports.coverage.format", STRING, "Its format."),
	LATER("spec.tests[].reports.coverage.path", STRING, "The file."),
	LATER("spec.tests[].flaky", MAP, "What to do about tests that fail now and then."),
	LATER("spec.tests[].flaky.retries", INT, "How often to try again."),
	LATER("spec.tests[].flaky.quarantine", STRING, "File that lists known flaky tests."),
	LATER("spec.tests[].flaky.signatures", STRINGS, "Texts in the output that show a flaky failure."),
	LATER("spec.tests[].services", LIST, "Services that run beside the test."),
	LATER("spec.tests[].services[].name", STRING, "Name of the service."),
	LATER("spec.tests[].services[].rootfs", STRING, "Its root filesystem."),
	LATER("spec.tests[].services[].command", STRING, "Its command."),
	LATER("spec.tests[].onFailure", MAP, "What to do when the test fails."),
	LATER("spec.tests[].onFailure.repro", BOOL, "Keep what is needed to run it again."),

	LATER("spec.matrix", MAP, "Build once for each combination of values."),
	LATER("spec.matrix.runtimeVersion", STRINGS, "Versions to build with."),
	LATER("spec.matrix.exclude", STRINGS, "Combinations to leave out."),

	ROW("spec.qualityGates", MAP, NOT_STORED, .help = "What must hold before anything is published."),
	ROW("spec.qualityGates.coverageMinPct", NUMBER, NOT_STORED, .status = SCHEMA_AT_RUN, .min = 0, .max = 100,
	    .help = "Least line coverage of the tests, in percent."),
	ROW("spec.qualityGates.vulnMaxSeverity", WORD, NOT_STORED, .status = SCHEMA_AT_RUN,
	    .words = WORDS("none", "low", "medium", "high", "critical"), .help = "Highest severity of a known vulnerability that is allowed."),
	LATER("spec.qualityGates.unsignedInputs", STRING, "Whether inputs without a signature are allowed."),
	LATER("spec.qualityGates.policies", LIST, "Policies to evaluate."),
	LATER("spec.qualityGates.policies[].path", STRING, "The policy's files."),
	LATER("spec.qualityGates.policies[].engine", STRING, "Its language."),
	LATER("spec.qualityGates.policies[].query", STRING, "What to ask it."),
	LATER("spec.qualityGates.vulnDb", MAP, "The vulnerability database."),
	LATER("spec.qualityGates.vulnDb.path", STRING, "The file."),
	LATER("spec.qualityGates.vulnDb.digest", STRING, "Its digest."),

	ROW("spec.sbom", MAP, NOT_STORED, .help = "Bills of materials of the image."),
	ROW("spec.sbom.formats", STRINGS, AT(struct spec, sbom_formats), NOTED(struct spec, sbom_formats_pos), .max = 2, .form = &form_sbom,
	    .help = "Which are written: cyclonedx-1.6, spdx-2.3. Without it, both; an empty list: none."),

	ROW("spec.provenance", MAP, NOT_STORED, .help = "The attestation of the build."),
	ROW("spec.provenance.format", WORD, NOT_STORED, .words = WORDS("slsa-v1"), .dflt = "slsa-v1", .help = "SLSA provenance v1."),
	ROW("spec.provenance.requireBuilderId", STRING, AT(struct spec, require_builder_id), .form = &form_uri,
	    .help = "The run is refused unless it is given this builder id. A spec cannot set one."),

	ROW("spec.publish", MAP, NOT_STORED, .help = "What run --publish does; nothing leaves the host without that option."),
	ROW("spec.publish.tags", STRINGS, AT(struct spec, publish_tags), .max = STRINGS_MAX, .form = &form_tag,
	    PLACEHOLDERS, .help = "Tags to give the image in its registry."),
	ROW("spec.publish.when", STRINGS, AT(struct spec, publish_when), NOTED(struct spec, publish_when_pos), .min = 1, .max = STRINGS_MAX,
	    .form = &form_when, .help = "Commits that are published: tag, one with a version tag; main, the one that the branch main is at. Without it, any."),
	ROW("spec.publish.retry", MAP, NOT_STORED, .help = "How a registry is tried again that is busy or does not answer."),
	ROW("spec.publish.retry.attempts", INT, AT(struct spec, publish_retry.attempts), .min = 1, .max = 20, .dflt = "5",
	    .help = "How often a request is made at most."),
	ROW("spec.publish.retry.backoff", WORD, NOT_STORED, .words = WORDS("exponential"), .dflt = "exponential",
	    .help = "Each wait is twice the one before."),
	ROW("spec.publish.retry.initialDelay", DURATION, AT(struct spec, publish_retry.first_ms), .min = 1, .max = DAY_MS, .dflt = "500ms",
	    .help = "The first wait."),
	ROW("spec.publish.retry.maxDelay", DURATION, AT(struct spec, publish_retry.most_ms), .min = 1, .max = DAY_MS, .dflt = "30s",
	    .help = "The longest wait, also where the registry asks for more."),

	ROW("spec.caching", MAP, NOT_STORED, .help = "Reuse of earlier results."),
	ROW("spec.caching.enabled", BOOL, AT(struct spec, caching), .dflt = "true",
	    .help = "Whether a step whose inputs are all the same may take its recorded result."),
	ROW("spec.caching.keys", STRINGS, AT(struct spec, caching_keys), .max = STRINGS_MAX, .form = &form_glob,
	    .help = "Files whose content decides whether dependencies are installed again. This version's steps depend on all their sources."),
	LATER("spec.caching.remote", MAP, "A cache shared between hosts."),
	LATER("spec.caching.remote.url", STRING, "Its address."),
	LATER("spec.caching.remote.protocol", STRING, "How it is spoken to."),
	LATER("spec.caching.remote.mode", STRING, "Read, or read and write."),
	LATER("spec.caching.remote.verify", STRING, "When content is checked."),

	LATER("spec.execution", MAP, "Run somewhere else than here."),
	LATER("spec.execution.engine", STRING, "What runs it."),
	LATER("spec.execution.partition", STRING, "Which part of that."),
	LATER("spec.execution.prefer", STRING, "What matters most."),
	LATER("spec.preview", MAP, "Run the image for a while to look at it."),
	LATER("spec.preview.ttl", DURATION, "How long."),
	LATER("spec.preview.port", INT, "On which port."),
	LATER("spec.preview.resources", MAP, "Its limits."),
	LATER("spec.preview.resources.memory", SIZE, "Memory."),
	LATER("spec.release", MAP, "How versions are made."),
	LATER("spec.release.strategy", STRING, "How the next version is found."),
	LATER("spec.release.changelog", STRING, "File to write."),
};

const struct schema_row *schema_at(size_t i)
{
	return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

/** Whether @p row is a field of @p parent; gives its name. */
static bool is_field(const struct schema_row *parent, const struct schema_row *row, const char **ret_name)
{
	size_t n = strlen(parent->path);
	const char *rest = row->path;

	if (n != 0) {
		if (strncmp(rest, parent->path, n) != 0)
			return false;
		rest += n;
		if (parent->type == SCHEMA_LIST && strncmp(rest, "[]", 2) == 0)
			rest += 2;
		else if (parent->type == SCHEMA_LIST)
			return false;
		if (*rest++ != '.')
			return false;
	}
	*ret_name = rest;
	return strpbrk(rest, ".[") == NULL;
}

const struct schema_row *schema_next(const struct schema_row *parent, const struct schema_row *after)
{
	const char *name;

	for (size_t i = after != NULL ? (size_t)(after - rows) + 1 : 0; i < ARRAY_LEN(rows); i++)
		if (is_field(parent, &rows[i], &name))
			return &rows[i];
	return NULL;
}

const struct schema_row *schema_field(const struct schema_row *parent, const char *key)
{
	const struct schema_row *row = NULL;

	while ((row = schema_next(parent, row)) != NULL)
		if (strcmp(schema_name(row), key) == 0)
			return row;
	return NULL;
}

const char *schema_name(const struct schema_row *row)
{
	const char *dot = strrchr(row->path, '.');

	return dot != NULL ? dot + 1 : row->path;
}
