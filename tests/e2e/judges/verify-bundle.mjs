#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// verify-bundle.mjs BUNDLE PUB.pem
//
// Sigstore's own verifier as judge of a bundle: exit 0 and "accepted", or exit 1
// and the reason, or exit 2 when it was called wrongly. glovebox's bundles stand
// in no transparency log and carry no time stamp, hence the thresholds of 0. The
// key is found by the hint, which must be the base64 SHA-256 of its DER.
//
// Needs `npm ci` in this folder.
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bundleFromJSON } from '@sigstore/bundle';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

const noRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };

function keyFinder(pem) {
  const publicKey = createPublicKey(pem);
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const id = createHash('sha256').update(der).digest('base64');
  return (hint) => {
    if (hint !== id) throw new Error(`the bundle's hint is ${hint}, the key's id is ${id}`);
    return { publicKey, validFor: () => true };
  };
}

function verify(bundleFile, keyFile) {
  const bundle = bundleFromJSON(JSON.parse(readFileSync(bundleFile, 'utf8')));
  const trust = toTrustMaterial(noRoot, keyFinder(readFileSync(keyFile)));
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
  verifier.verify(toSignedEntity(bundle));
}

const [bundleFile, keyFile, ...rest] = process.argv.slice(2);
if (keyFile === undefined || rest.length > 0) {
  console.error('usage: verify-bundle.mjs BUNDLE PUB.pem');
  process.exit(2);
}
try {
  verify(bundleFile, keyFile);
  console.log('accepted');
} catch (error) {
  console.error(`refused: ${error.message}`);
  process.exit(1);
}
