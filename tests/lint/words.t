#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Words that do not belong in the project: marks of unfinished work, one machine's paths, registries.
. "$(dirname "$0")/lint.bash"

# Written in pieces, so that this file passes its own test.
unfinished='\b(TO''DO|FIX''ME|XX''X|HA''CK)\b'
machine='(^|[^A-Za-z0-9._/$}-])/(wo''rk/(main|shared)|ho''me/[a-z]|ro''ot/[a-z])'
registries='(deb\.deb''ian|security\.deb''ian|registry\.np''mjs|files\.pythonho''sted|static\.cra''tes|index\.cra''tes|proxy\.gol''ang|repo1?\.ma''ven|archive\.ubu''ntu|registry-1\.doc''ker|docker\.i''o|gh''cr|qu''ay)(\.org|\.io|\.com|\b)|py''pi\.(org|io|com)'

# The files to look at: not pages of law, not data that tests feed to parsers, and not schemas that others publish.
texts()
{
	files "$1" | grep -vE '^LICENSE$|^tests/(fuzz/seeds|golden|e2e/judges/schemas)/|(^|/)package-lock\.json$'
}

matches()
{
	local pattern=$1 tree=$2
	(cd "$tree" && texts . | tr '\n' '\0' | xargs -0r grep -nHIE -- "$pattern" | cut -c 1-160) || true
}

lint "nothing is marked as unfinished" matches "$unfinished" .
lint "no path of one machine" matches "$machine" .
lint "no registry's host name" matches "$registries" .
catches "notices unfinished work" base/a.c "/* TO""DO: later */" matches "$unfinished"
catches "notices a path" a.sh "cd /wo""rk/main" matches "$machine"
catches "notices a registry" a.sh "curl https://deb.deb""ian.org/" matches "$registries"
finish
