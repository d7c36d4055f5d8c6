#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corpus.py OUT NEW KEY OTHER EC: for every case a directory NEW/CASE, like OUT but for one lie.

OUT is the out directory of a run signed with the Ed25519 key KEY (PEM). Statements are signed again with that key, so that nothing
but the lie can be what is refused; OTHER is a key that nobody trusts, EC one on P-256, trusted too.
"""
import base64, copy, gzip, hashlib, io, json, os, subprocess, sys, tarfile
from forge import canon, image, parts, sha

out, new, KEY, OTHER, EC = sys.argv[1:6]
ENVELOPE, MATERIAL = 'dsseEnvelope', 'verificationMaterial'
tar = open(out + '/image.tar', 'rb').read()
good_bundle = json.load(open(out + '/provenance.sigstore.json'))
good = json.load(open(out + '/provenance.json'))
IMAGE, TAR = good['subject'][0]['digest']['sha256'], good['subject'][1]['digest']['sha256']


def run(*argv): return subprocess.run(argv, check=True, capture_output=True).stdout


def key_id(key): return base64.b64encode(hashlib.sha256(run('openssl', 'pkey', '-in', key, '-pubout', '-outform', 'DER')).digest()).decode()


def signature(key, payload):
    pae = b'DSSEv1 28 application/vnd.in-toto+json %d ' % len(payload) + payload
    open(new + '/pae', 'wb').write(pae)
    if key == EC:
        return run('openssl', 'dgst', '-sha256', '-sign', key, new + '/pae')
    return run('openssl', 'pkeyutl', '-sign', '-inkey', key, '-rawin', '-in', new + '/pae')


def bundle(payload, key=None):
    key = key or KEY
    b = {'mediaType': 'application/vnd.dev.sigstore.bundle.v0.3+json', MATERIAL: {'publicKey': {'hint': key_id(key)}},
         ENVELOPE: {'payloadType': 'application/vnd.in-toto+json', 'payload': base64.b64encode(payload).decode(),
                    'signatures': [{'keyid': key_id(key), 'sig': base64.b64encode(signature(key, payload)).decode()}]}}
    return b


def with_s(b, choose):
    """The bundle with one of the two values of s that an ECDSA signature can have."""
    n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    der = base64.b64decode(b[ENVELOPE]['signatures'][0]['sig'])
    r, s = der[4:4 + der[3]], int.from_bytes(der[6 + der[3]:], 'big')
    s = choose(s, n - s).to_bytes(33, 'big').lstrip(b'\0')
    s = (b'\0' if s[0] & 128 else b'') + s
    body = b'\x02' + bytes([len(r)]) + r + b'\x02' + bytes([len(s)]) + s
    b[ENVELOPE]['signatures'][0]['sig'] = base64.b64encode(b'\x30' + bytes([len(body)]) + body).decode()
    return b


def case(name, raw=None, archive=tar, files=()):
    """NEW/name with the bytes RAW as provenance bundle (None: the good one, as it is)."""
    os.mkdir(f'{new}/{name}')
    if raw is None:
        raw = open(out + '/provenance.sigstore.json', 'rb').read()
    if raw is not False:
        open(f'{new}/{name}/provenance.sigstore.json', 'wb').write(raw)
    if archive is not None:
        open(f'{new}/{name}/image.tar', 'wb').write(archive)
    for file, data in files:
        os.makedirs(os.path.dirname(f'{new}/{name}/{file}'), exist_ok=True)
        open(f'{new}/{name}/{file}', 'wb').write(data)


def line(b): return canon(b) + b'\n'


def edited(name, edit, source=good_bundle, finish=line, **more):
    """The bundle after EDIT of its JSON."""
    b = copy.deepcopy(source)
    b = edit(b) or b
    case(name, finish(b), **more)


def stated(name, edit, finish=canon, **more):
    """A bundle over the statement after EDIT, signed again."""
    st = copy.deepcopy(good)
    st = edit(st) or st
    case(name, line(bundle(finish(st))), **more)


def put(d, *path):
    """d[path[0]]…[path[-2]] = path[-1]"""
    for k in path[:-2]:
        d = d[k]
    d[path[-2]] = path[-1]


def definition(st): return st['predicate']['buildDefinition']


def bundles():
    env = lambda k, v: lambda b: put(b, ENVELOPE, k, v)
    payload = base64.b64decode(good_bundle[ENVELOPE]['payload'])
    sig = base64.b64decode(good_bundle[ENVELOPE]['signatures'][0]['sig'])
    edited('payload-tampered', env('payload', base64.b64encode(payload.replace(b'build.yaml', b'built.yaml', 1)).decode()))
    edited('signature-tampered', lambda b: put(b, ENVELOPE, 'signatures', 0, 'sig', base64.b64encode(bytes([sig[0] ^ 1]) + sig[1:]).decode()))
    edited('signature-short', lambda b: put(b, ENVELOPE, 'signatures', 0, 'sig', base64.b64encode(sig[:-1]).decode()))
    edited('signature-long', lambda b: put(b, ENVELOPE, 'signatures', 0, 'sig', base64.b64encode(sig * 2).decode()))
    edited('two-signatures', env('signatures', good_bundle[ENVELOPE]['signatures'] * 2))
    edited('no-signature', env('signatures', []))
    case('wrong-key', line(bundle(payload, OTHER)))
    edited('keyid-of-another', lambda b: put(b, ENVELOPE, 'signatures', 0, 'keyid', key_id(OTHER)))
    edited('hint-of-another', lambda b: put(b, MATERIAL, 'publicKey', 'hint', key_id(OTHER)))
    edited('unknown-member', lambda b: put(b, 'extra', 1))
    edited('certificate', lambda b: put(b, MATERIAL, 'certificate', {'rawBytes': 'AAAA'}))
    edited('log-entry', lambda b: put(b, MATERIAL, 'tlogEntries', []))
    edited('message-signature', lambda b: {'mediaType': b['mediaType'], MATERIAL: b[MATERIAL], 'messageSignature': {'signature': 'AAAA'}})
    edited('media-type', lambda b: put(b, 'mediaType', 'application/vnd.dev.sigstore.bundle.v0.4+json'))
    edited('payload-type', env('payloadType', 'application/json'))
    edited('base64-unpadded', env('payload', good_bundle[ENVELOPE]['payload'] + '='))
    edited('pretty', lambda b: None, finish=lambda b: json.dumps(b, indent=2).encode())
    edited('no-newline', lambda b: None, finish=canon)
    edited('array', lambda b: [b])
    raw = line(good_bundle)
    case('duplicate-key', raw.replace(b'{', b'{"mediaType":"x",', 1))
    case('trailing-text', raw + b'{}\n')
    case('nul', raw.replace(b'"keyid":"', b'"keyid":"\\u0000', 1))
    case('deep', b'[' * 100000)
    case('empty-bundle', b'')
    case('no-bundle', False)
    case('too-large', raw + b' ' * (64 << 20))
    case('bundle-cut', raw[:-20])


def statements():
    P, M = 'predicate', ('predicate', 'runDetails', 'metadata')
    external = ('predicate', 'buildDefinition', 'externalParameters')
    stated('unknown-parameter', lambda s: put(s, *external, 'evil', 1))
    stated('unknown-option', lambda s: put(s, *external, 'options', {'evil': 1}))
    stated('unknown-spec-member', lambda s: put(s, *external, 'spec', 'evil', 1))
    stated('duplicate-in-statement', lambda s: None, finish=lambda s: canon(s).replace(b'{', b'{"_type":"x",', 1))
    stated('predicate-type', lambda s: put(s, 'predicateType', 'https://slsa.dev/provenance/v0.2'))
    stated('build-type', lambda s: put(s, P, 'buildDefinition', 'buildType', 'https://example.com/other'))
    stated('statement-type', lambda s: put(s, '_type', 'https://in-toto.io/Statement/v2'))
    stated('no-subject', lambda s: put(s, 'subject', []))
    stated('subject-without-sha256', lambda s: put(s, 'subject', 0, 'digest', {'sha512': 'ab'}))
    stated('wrong-subject', lambda s: put(s, 'subject', 0, 'digest', 'sha256', '1' * 64))
    stated('wrong-archive-subject', lambda s: put(s, 'subject', 1, 'digest', 'sha256', '1' * 64))
    stated('subject-twice', lambda s: s['subject'].append(s['subject'][1]))
    stated('upper-case-digest', lambda s: put(s, 'subject', 0, 'digest', 'sha256', 'A' * 64))
    stated('no-archive-subject', lambda s: s['subject'].pop(1) and None)
    stated('subject-order', lambda s: s['subject'].reverse())
    stated('output-subject', lambda s: put(s, 'subject', 2, 'digest', 'sha256', '1' * 64))
    stated('no-output-tree', lambda s: definition(s)['internalParameters'].pop('outputTree') and None)
    stated('both-parameters', lambda s: put(s, P, 'buildDefinition', 'internalParameters', 'spec', {}))
    stated('spec-text', lambda s: put(s, *external, 'spec', 'text', 'other'))
    stated('finished-first', lambda s: put(s, *M, 'finishedOn', '2001-01-01T00:00:00Z'))
    stated('not-a-time', lambda s: put(s, *M, 'finishedOn', 'today'))
    stated('no-builder', lambda s: put(s, P, 'runDetails', 'builder', {}))
    stated('empty-builder', lambda s: put(s, P, 'runDetails', 'builder', 'id', ''))
    stated('no-run-details', lambda s: s[P].pop('runDetails') and None)
    stated('pretty-statement', lambda s: None, finish=lambda s: json.dumps(s, indent=1).encode())
    stated('dependency-without-digest', lambda s: definition(s)['resolvedDependencies'][0].pop('digest') and None)
    stated('empty-digest', lambda s: put(definition(s)['resolvedDependencies'][0], 'digest', {}))
    stated('unpinned-base', lambda s: put(s, P, 'buildDefinition', 'internalParameters', 'base', {'manifest': json.dumps({
        'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json', 'config': {
            'mediaType': 'application/vnd.oci.image.config.v1+json', 'digest': 'sha256:' + '1' * 64, 'size': 2}, 'layers': [{
                'mediaType': 'application/vnd.oci.image.layer.v1.tar', 'digest': 'sha256:' + '2' * 64, 'size': 2}]})}))
    # ECDSA's other s: as valid, but not what glovebox writes.
    case('high-s', line(with_s(bundle(canon(good), EC), max)))


def renamed(archive, image_digest=IMAGE):
    """The provenance restated for another archive."""
    st = copy.deepcopy(good)
    put(st, 'subject', 0, 'digest', 'sha256', image_digest)
    put(st, 'subject', 1, 'digest', 'sha256', sha(archive))
    return line(bundle(canon(st)))


def evil_layer(mode=0o644):
    b = io.BytesIO()
    with tarfile.open(fileobj=b, mode='w', format=tarfile.USTAR_FORMAT) as t:
        i = tarfile.TarInfo('evil'); i.size = 4; i.mode = mode; t.addfile(i, io.BytesIO(b'evil'))
    return b.getvalue()


def archives():
    layers, config = parts(out + '/image.tar')
    case('truncated', archive=tar[:-1])
    case('half', archive=tar[:len(tar) // 2])
    case('empty-archive', archive=b'')
    case('appended', archive=tar + b'\0' * 512)
    case('no-image', archive=None)
    case('byte', archive=tar[:-2000] + bytes([tar[-2000] ^ 1]) + tar[-1999:])
    evil = gzip.compress(evil_layer(), mtime=0)
    digest, swapped = image([evil], config, 'latest')
    case('swapped-layer', archive=swapped)
    case('swapped-layer-restated', renamed(swapped), archive=swapped)
    case('swapped-diff-id', renamed(swapped, digest), archive=swapped)
    at = tar.index(layers[0]) + 4
    flipped = tar[:at] + bytes([tar[at] ^ 1]) + tar[at + 1:]
    case('layer-bytes', renamed(flipped), archive=flipped)
    suid = evil_layer(0o4755)
    c = json.loads(config); c['rootfs']['diff_ids'] = ['sha256:' + sha(suid)]
    digest, archive = image([gzip.compress(suid, mtime=0)], canon(c), 'latest')
    case('setuid', renamed(archive, digest), archive=archive)
    other = image(layers, config, 'another')[1]
    case('renamed', archive=other)
    case('layer-cut', renamed(tar[:-2048] + b'\0' * 1024), archive=tar[:-2048] + b'\0' * 1024)
    case('other-digest-file', files=[('image.digest', b'sha256:' + b'1' * 64 + b'\n')])
    os.mkdir(new + '/image-is-a-directory')
    os.mkdir(new + '/image-is-a-directory/image.tar')
    open(new + '/image-is-a-directory/provenance.sigstore.json', 'wb').write(line(good_bundle))


def about(kind, predicate, image_digest=IMAGE):
    return {'_type': good['_type'], 'predicateType': kind, 'subject': [{'name': 'x', 'digest': {'sha256': image_digest}}], 'predicate': predicate}


def vsa(result='PASSED', when='2999-01-01T00:00:00Z', image_digest=IMAGE):
    return about('https://slsa.dev/verification_summary/v1', {'verifier': {'id': 'https://v.example'}, 'timeVerified': when,
                 'verificationResult': result}, image_digest)


def test_result(result, image_digest=IMAGE, **more):
    return about('https://in-toto.io/attestation/test-result/v0.1', {'result': result, 'configuration': [], **more}, image_digest)


def others():
    """Beside a good provenance: NEW/CASE/other.sigstore.json."""
    def other(name, b, finish=lambda b: json.dumps(b, indent=1).encode()):
        case(name, files=[('other.sigstore.json', finish(b))])
    signed = lambda st, key=None: bundle(json.dumps(st).encode(), key)
    scan = about('https://example.com/scan/v1', {'clean': True})
    cosign = signed(scan)
    cosign[ENVELOPE]['signatures'][0]['keyid'] = ''
    cosign[MATERIAL]['tlogEntries'] = [{'logIndex': '1'}]
    other('good-cosign', cosign)
    other('good-ecdsa', signed(scan, EC))
    other('good-tests', signed(test_result('PASSED')))
    other('good-vsa', signed(vsa(when='%s' % run('date', '-u', '+%FT%TZ').decode().strip())))
    other('good-two', with_s(bundle(canon(good), EC), min), finish=line)
    other('stale-vsa', signed(vsa(when='2001-01-01T00:00:00Z')))
    other('future-vsa', signed(vsa()))
    other('failed-vsa', signed(vsa('FAILED')))
    other('vsa-of-another', signed(vsa(image_digest='1' * 64)))
    other('tests-failed', signed(test_result('FAILED')))
    other('tests-warned', signed(test_result('WARNED')))
    other('tests-not-a-word', signed(test_result('passed')))
    other('tests-contradict', signed(test_result('PASSED', passedTests=['a'], failedTests=['b'])))
    other('tests-warned-passed', signed(test_result('PASSED', warnedTests=['b'])))
    other('tests-failed-warned', signed(test_result('WARNED', failedTests=['b'])))
    other('tests-no-names', signed(test_result('FAILED', failedTests=[{'name': 'b'}])))
    other('tests-no-list', signed(test_result('PASSED', failedTests='none')))
    other('tests-of-another', signed(test_result('PASSED', '1' * 64)))
    other('tests-by-a-stranger', signed(test_result('PASSED'), OTHER))
    b = signed(test_result('FAILED')); b[ENVELOPE]['payload'] = base64.b64encode(json.dumps(test_result('PASSED')).encode()).decode()
    other('tests-tampered', b)
    other('stranger', signed(scan, OTHER))
    other('other-about-another', signed(about('https://example.com/scan/v1', {}, '1' * 64)))
    b = signed(scan); b[MATERIAL]['certificate'] = {'rawBytes': 'AAAA'}
    other('other-certificate', b)
    b = signed(scan); b[ENVELOPE]['signatures'] *= 2
    other('other-two-signatures', b)
    b = signed(scan); b[ENVELOPE]['payload'] = base64.b64encode(b'{}').decode()
    other('other-tampered', b)
    other('other-duplicate-key', cosign, finish=lambda b: b'{"mediaType":"x",' + canon(b)[1:])
    other('other-not-a-bundle', {})
    st = copy.deepcopy(good)
    st['predicate']['buildDefinition']['externalParameters']['evil'] = 1
    other('second-provenance-lies', with_s(bundle(canon(st), EC), min), finish=line)
    b = signed(about('https://slsa.dev/provenance/v1', {}))
    other('other-provenance-empty', b)
    # Test results of glovebox's own: of this run, of one from other inputs, and of an earlier one from the same.
    inputs = definition(good)['resolvedDependencies']
    own = lambda configuration: test_result('PASSED', configuration=configuration, glovebox_tests=[])
    other('good-own-tests', signed(own(inputs)))
    other('tests-of-other-inputs', signed(own(inputs[1:])))
    st = copy.deepcopy(good)
    this_run = json.dumps(own(inputs)).encode()
    st['predicate']['runDetails']['byproducts'].append({'name': 'test-result.json', 'digest': {'sha256': sha(this_run)}})
    case('good-named-tests', line(bundle(canon(st))), files=[('other.sigstore.json', canon(bundle(this_run)))])
    case('tests-of-another-run', line(bundle(canon(st))), files=[('other.sigstore.json', canon(signed(dict(own(inputs), other=1))))])
    case('same-key-twice', files=[('other.sigstore.json', line(bundle(canon(good))))])


def ages():
    def aged(name, when):
        def edit(s):
            put(s, 'predicate', 'runDetails', 'metadata', 'startedOn', when)
            put(s, 'predicate', 'runDetails', 'metadata', 'finishedOn', when)
        stated(name, edit)
    aged('old', '2001-01-01T00:00:00Z')
    aged('yet-to-come', '2999-01-01T00:00:00Z')
    inside = ('predicate', 'buildDefinition', 'internalParameters')
    stated('loopback', lambda s: put(s, *inside, 'receipt', 'network', 'loopback'))
    stated('no-receipt', lambda s: definition(s)['internalParameters'].pop('receipt') and None)
    stated('incomplete', lambda s: put(s, *inside, 'glovebox_completeness', {'externalParameters': {'complete': True}}))
    stated('two-rootfs', lambda s: definition(s)['resolvedDependencies'].append(definition(s)['resolvedDependencies'][1]))


def besides():
    """Files that people read beside the image."""
    tree = lambda name: open(f'{out}/trees/{name}', 'rb').read()
    case('good-beside', files=[(f, open(f'{out}/{f}', 'rb').read()) for f in (
        'trees/output.mtree', 'trees/rootfs.mtree', 'trees/source-src.mtree', 'provenance.json', 'sbom.cdx.json', 'sbom.spdx.json')])
    case('other-manifest', files=[('trees/output.mtree', tree('output.mtree').replace(b'mode=0755', b'mode=0644', 1))])
    case('swapped-manifest', files=[('trees/output.mtree', tree('source-src.mtree'))])
    case('empty-manifest', files=[('trees/rootfs.mtree', b'')])
    case('unknown-manifest', files=[('trees/source-evil.mtree', tree('source-src.mtree'))])
    case('other-statement', files=[('provenance.json', canon(good).replace(b'build.yaml', b'built.yaml', 1))])
    case('other-sbom', files=[('sbom.cdx.json', b'{}')])
    by = lambda edit: lambda s: edit(s['predicate']['runDetails']['byproducts'])
    stated('unnamed-tree', by(lambda b: b.append({'name': 'trees/x.mtree', 'digest': {'sha256': '1' * 64}, 'mediaType': b[-1]['mediaType']})))
    stated('manifest-of-another', by(lambda b: put(b[-1], 'digest', 'sha256', '1' * 64)))
    stated('byproduct-twice', by(lambda b: b.append(dict(b[-1], digest={'sha256': '1' * 64}, mediaType='x'))))
    stated('media-type-a-number', by(lambda b: put(b[-1], 'mediaType', 1)))


os.mkdir(new)
case('good')
bundles(), statements(), archives(), others(), ages(), besides()
os.unlink(new + '/pae')
