#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// validate-sbom.mjs SBOM.json...
//
// Bills of materials before judges that others wrote: exit 0 and "accepted" for each, or exit 1 and the reasons, or exit 2 when it was
// called wrongly.
//
//   both        the format's own JSON schema (schemas/), by ajv
//   CycloneDX   the CycloneDX library's strict validator besides
//   both        what the schemas do not say: references that lead somewhere, NTIA's minimum elements, package URLs, SPDX's own rules of files
//
// Needs `npm ci` in this folder.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import addFormats2019 from 'ajv-formats-draft2019';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const here = dirname(fileURLToPath(import.meta.url));
const schema = (name) => JSON.parse(readFileSync(join(here, 'schemas', name), 'utf8'));

// One for each schema, and one of the library's: they are large.
const validators = new Map();
const strict = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

function validator(main, others) {
  if (!validators.has(main)) {
    const ajv = new Ajv({ strict: false, allErrors: true, schemas: others.map(schema) });
    addFormats(ajv);
    addFormats2019(ajv);
    validators.set(main, ajv.compile(schema(main)));
  }
  return validators.get(main);
}

function bySchema(document, main, others) {
  const validate = validator(main, others);
  return validate(document) ? [] : validate.errors.slice(0, 10).map((e) => `${e.instancePath}: ${e.message}`);
}

function duplicates(list) {
  const seen = new Set();
  return list.filter((x) => seen.size === seen.add(x).size);
}

// The canonical form of a package URL, as far as this program's types need it.
function purlFault(purl) {
  const form = /^pkg:[a-z]+\/([A-Za-z0-9.\-_~:]|%[0-9A-F]{2}|\/)+(@([A-Za-z0-9.\-_~:]|%[0-9A-F]{2})+)?(\?[a-z_]+=([A-Za-z0-9.\-_~:]|%[0-9A-F]{2})+(&[a-z_]+=([A-Za-z0-9.\-_~:]|%[0-9A-F]{2})+)*)?$/;
  if (!form.test(purl)) return `not a package URL in canonical form: ${purl}`;
  const keys = (purl.split('?')[1] ?? '').split('&').map((q) => q.split('=')[0]);
  return keys.join() === [...keys].sort().join() ? undefined : `qualifiers out of order: ${purl}`;
}

async function cyclonedx(text, document) {
  const faults = bySchema(document, 'cdx-bom-1.6.schema.json', ['cdx-jsf-0.82.schema.json', 'cdx-spdx.schema.json']);
  const found = await strict.validate(text);
  if (found !== null) faults.push(`the CycloneDX library: ${JSON.stringify(found).slice(0, 2000)}`);

  const meta = document.metadata;
  const nested = (list) => (list ?? []).flatMap((c) => [c, ...nested(c.components)]);
  const parts = [meta.component, ...nested(document.components)];
  const packages = document.components.filter((c) => c.type === 'library' || c.type === 'operating-system');
  const refs = parts.map((c) => c['bom-ref']).filter((r) => r !== undefined);
  for (const r of duplicates(refs)) faults.push(`two components are called ${r}`);
  for (const r of duplicates(document.dependencies.map((d) => d.ref))) faults.push(`two rows of dependencies for ${r}`);
  for (const d of document.dependencies)
    for (const r of [d.ref, ...(d.dependsOn ?? [])]) if (!refs.includes(r)) faults.push(`a dependency on ${r}, which is not there`);
  const reached = new Set(document.dependencies.flatMap((d) => d.dependsOn ?? []));
  for (const c of document.components) if (!reached.has(c['bom-ref'])) faults.push(`nothing contains ${c['bom-ref']}`);

  // NTIA: supplier, name, version, unique identifier, relationship; author and time of the list.
  if (!meta.timestamp || !meta.authors?.[0]?.name || !meta.supplier?.name) faults.push('no author, supplier or time');
  for (const c of [meta.component, ...packages]) {
    if (!c.supplier?.name || !c.name || !c.version) faults.push(`${c['bom-ref']}: no supplier, name or version`);
    const fault = c.purl === undefined ? `${c['bom-ref']}: no package URL` : purlFault(c.purl);
    if (fault !== undefined) faults.push(fault);
    if (c.type !== 'operating-system' && !document.dependencies.some((d) => d.ref === c['bom-ref'])) faults.push(`${c['bom-ref']}: no row of dependencies`);
  }
  for (const c of parts.filter((p) => p.type === 'file'))
    if (c.hashes?.[0]?.alg !== 'SHA-256') faults.push(`${c.name}: no SHA-256`);
  return faults;
}

const sha1 = (text) => createHash('sha1').update(text).digest('hex');

function spdx(document) {
  const faults = bySchema(document, 'spdx-2.3-schema.json', []);
  const ids = ['SPDXRef-DOCUMENT', ...document.packages.map((p) => p.SPDXID), ...document.files.map((f) => f.SPDXID)];
  const files = new Map(document.files.map((f) => [f.SPDXID, f]));
  const known = new Set(ids);
  for (const id of duplicates(ids)) faults.push(`two elements are called ${id}`);
  for (const id of ids) if (!/^SPDXRef-[A-Za-z0-9.-]+$/.test(id)) faults.push(`not an identifier: ${id}`);
  if (!/^https:\/\/[^#]+$/.test(document.documentNamespace)) faults.push('no document namespace');
  for (const r of document.relationships)
    for (const id of [r.spdxElementId, r.relatedSpdxElement]) if (!known.has(id)) faults.push(`a relation with ${id}, which is not there`);
  const contained = new Map();
  for (const r of document.relationships.filter((x) => x.relationshipType === 'CONTAINS')) {
    if (contained.has(r.relatedSpdxElement)) faults.push(`${r.relatedSpdxElement} is in two others`);
    contained.set(r.relatedSpdxElement, r.spdxElementId);
  }
  for (const id of files.keys()) if (!contained.has(id)) faults.push(`nothing contains ${id}`);
  if (document.relationships.filter((r) => r.relationshipType === 'DESCRIBES').length !== 1) faults.push('it does not describe one thing');

  const refs = new Set((document.hasExtractedLicensingInfos ?? []).map((x) => x.licenseId));
  if (!document.creationInfo.created || document.creationInfo.creators.length === 0) faults.push('no author or time');
  for (const p of document.packages) {
    for (const ref of p.licenseDeclared.match(/LicenseRef-[A-Za-z0-9.-]+/g) ?? [])
      if (!refs.delete(ref) && !known.has(ref)) faults.push(`${p.SPDXID}: ${ref} is not told of`);
      else known.add(ref);
    if (!p.supplier || !p.name) faults.push(`${p.SPDXID}: no supplier or name`);
    for (const r of p.externalRefs ?? []) {
      const fault = purlFault(r.referenceLocator);
      if (fault !== undefined) faults.push(fault);
    }
    if (/^SPDXRef-(Image|Package|OperatingSystem)/.test(p.SPDXID) && (!p.versionInfo || !p.externalRefs)) faults.push(`${p.SPDXID}: no version or identifier`);
    // A package whose files are listed says so, with the code of their SHA-1s; another has none (7.8, 7.9, 8.4).
    const own = [...contained].filter(([id, by]) => by === p.SPDXID && files.has(id)).map(([id]) => files.get(id));
    const sums = own.map((f) => f.checksums.find((c) => c.algorithm === 'SHA1')?.checksumValue);
    if (sums.includes(undefined)) faults.push(`${p.SPDXID}: a file without a SHA-1`);
    if (p.filesAnalyzed !== own.length > 0) faults.push(`${p.SPDXID}: filesAnalyzed is ${p.filesAnalyzed}, and it has ${own.length} files`);
    if (own.length > 0 && p.packageVerificationCode?.packageVerificationCodeValue !== sha1(sums.sort().join('')))
      faults.push(`${p.SPDXID}: its verification code is not that of its files`);
  }
  return faults;
}

if (process.argv.length < 3) {
  console.error('usage: validate-sbom.mjs SBOM.json...');
  process.exit(2);
}
for (const name of process.argv.slice(2)) {
  const text = readFileSync(name, 'utf8');
  const document = JSON.parse(text);
  const faults = document.bomFormat === 'CycloneDX' ? await cyclonedx(text, document) : spdx(document);
  if (faults.length > 0) {
    console.error(`${name}: refused:\n${faults.slice(0, 20).join('\n')}`);
    process.exitCode = 1;
  } else {
    console.log(`${name}: accepted`);
  }
}
