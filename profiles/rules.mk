# SPDX-License-Identifier: Apache-2.0
# The shipped profiles, compiled to BPF when glovebox is built and embedded in libprofiles.a.
# The tool runs on the building host: HOSTCC, no sanitizers, its own objects (none shared with the target).

HOSTCC ?= $(CC)

# The floor first: it is no profile to choose.
PROFILE_YAML := profiles/floor.yaml $(sort $(filter-out profiles/floor.yaml,$(wildcard profiles/*.yaml)))
PROFILE_TOOL_SRCS := $(filter-out $(addprefix profiles/,builtin.c check.c check_file.c danger.c explain.c learn.c learn_write.c pack.c), \
	$(sort $(wildcard profiles/*.c))) \
	$(addprefix base/,buf.c err.c hash.c io.c text.c) $(addprefix spec/,charset.c node.c yaml.c)
PROFILE_TOOL_PKGS := libseccomp yaml-0.1 libcrypto jansson

$(O)/host/gen_builtin: $(PROFILE_TOOL_SRCS) $(wildcard base/*.h spec/*.h profiles/*.h)
	@mkdir -p $(@D)
	$(HOSTCC) -std=gnu17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -O1 $(WARN) -o $@ \
		$(PROFILE_TOOL_SRCS) $(shell $(PKG_CONFIG) --cflags --libs $(PROFILE_TOOL_PKGS))

$(O)/gen/profiles_builtin.c: $(O)/host/gen_builtin $(PROFILE_YAML)
	@mkdir -p $(@D)
	$< $(PROFILE_YAML) > $@.tmp
	@mv $@.tmp $@

$(O)/gen/profiles_builtin.o: $(O)/gen/profiles_builtin.c
	$(COMPILE)

$(O)/libprofiles.a: $(O)/gen/profiles_builtin.o
