#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// check-schema.mjs KIND FILE… [-- KIND FILE…]…
//
// ajv as judge of documents: of KIND `statement` by statement.json, of an OCI `layout`, `index`, `manifest` or `config` by the schemas of
// image-spec. A line for each file, "FILE: valid", or "FILE: refused: …" with what is wrong. Exit 0 when all are valid, else 1, or 2 when it
// was called wrongly.
//
// Needs `npm ci` in this folder.
import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';

const oci = {
  layout: 'oci-image-layout-schema.json',
  index: 'oci-image-index-schema.json',
  manifest: 'oci-image-manifest-schema.json',
  config: 'oci-config-schema.json',
};
const parts = ['defs.json', 'defs-descriptor.json', 'content-descriptor.json'];
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const schema = (name) => read(new URL(`schemas/${name}`, import.meta.url));

// The schemas of image-spec refer to each other by file, while their `id`s say that they lie elsewhere.
function withoutIds(value, name) {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((v) => withoutIds(v));
  const kept = Object.entries(value).filter(([key, v]) => key !== 'id' || typeof v !== 'string');
  const clean = Object.fromEntries(kept.map(([key, v]) => [key, withoutIds(v)]));
  return name === undefined ? clean : { id: name, ...clean };
}

function validator(kind) {
  if (kind === 'statement') return addFormats(new Ajv2020({ allErrors: true, strict: false })).compile(schema('statement.json'));
  if (!(kind in oci)) return undefined;
  const ajv = addFormats(new AjvDraft04({ allErrors: true, strict: false }));
  for (const part of parts) ajv.addSchema(withoutIds(schema(`oci-${part}`), part));
  return ajv.compile(withoutIds(schema(oci[kind])));
}

function wrongly() {
  console.error('usage: check-schema.mjs statement|layout|index|manifest|config FILE… [-- KIND FILE…]…');
  process.exit(2);
}

const groups = [[]];
for (const word of process.argv.slice(2)) {
  if (word === '--') groups.push([]);
  else groups.at(-1).push(word);
}
for (const [kind, ...files] of groups) {
  const validate = kind === undefined ? undefined : validator(kind);
  if (validate === undefined || files.length === 0) wrongly();
  for (const file of files) {
    if (validate(read(file))) {
      console.log(`${file}: valid`);
    } else {
      console.log(`${file}: refused: ${validate.errors.map((e) => `${e.instancePath || '/'} ${e.message}`).join('; ')}`);
      process.exitCode = 1;
    }
  }
}
