#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""forge.py MODE OUT NEW [ARG]: an unsigned copy NEW of the run in OUT that lies in one way."""
import gzip, hashlib, io, json, os, shutil, sys, tarfile


def canon(o): return json.dumps(o, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()
def sha(b): return hashlib.sha256(b).hexdigest()


def header(name, size, directory=False):
    name += '/' if directory else ''
    h = bytearray(512)
    h[0:len(name)] = name.encode()
    for at, v in ((100, 0o755 if directory else 0o644), (108, 0), (116, 0), (329, 0), (337, 0)):
        h[at:at + 8] = b'%07o\0' % v
    h[124:136] = b'%011o\0' % size
    h[136:148] = b'%011o\0' % 315532800
    h[156] = ord('5' if directory else '0')
    h[257:265] = b'ustar\0' + b'00'
    h[148:156] = b' ' * 8
    h[148:156] = b'%06o\0 ' % sum(h)
    return bytes(h)


def parts(path):
    with tarfile.open(path) as t:
        f = {m.name: t.extractfile(m).read() for m in t if m.isfile()}
    blob = lambda d: f['blobs/sha256/' + d['digest'][7:]]
    m = json.loads(blob(json.loads(f['index.json'])['manifests'][0]))
    return [blob(l) for l in m['layers']], blob(m['config'])


def image(layers, config, tag):
    blobs = {}

    def desc(kind, b):
        blobs[sha(b)] = b
        return {'mediaType': 'application/vnd.oci.image.' + kind, 'size': len(b), 'digest': 'sha256:' + sha(b)}
    m = {'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.manifest.v1+json',
         'config': desc('config.v1+json', config), 'layers': [desc('layer.v1.tar+gzip', l) for l in layers]}
    md = desc('manifest.v1+json', canon(m))
    entry = dict(md, platform={'architecture': json.loads(config)['architecture'], 'os': 'linux'},
                 annotations={'org.opencontainers.image.ref.name': tag})
    index = canon({'schemaVersion': 2, 'mediaType': 'application/vnd.oci.image.index.v1+json', 'manifests': [entry]})
    member = lambda n, b: header(n, len(b)) + b + b'\0' * (-len(b) % 512)
    out = member('oci-layout', b'{"imageLayoutVersion":"1.0.0"}') + member('index.json', index)
    out += header('blobs', 0, True) + header('blobs/sha256', 0, True)
    return md['digest'][7:], out + b''.join(member('blobs/sha256/' + d, blobs[d]) for d in sorted(blobs)) + b'\0' * 1024


def main(mode, old, new, arg=None):
    os.makedirs(new)
    tar = open(old + '/image.tar', 'rb').read()
    st = json.load(open(old + '/provenance.json'))
    definition = st['predicate']['buildDefinition']
    deps, spec, subject = definition['resolvedDependencies'], definition['externalParameters']['spec'], st['subject']
    if mode == 'spec-text':          # the text of another spec; digests of what was really used stay
        spec['text'] = open(arg).read()
        spec['digest']['sha256'] = deps[0]['digest']['sha256'] = sha(spec['text'].encode())
    elif mode == 'profile':          # another profile under the same name
        deps[2]['digest']['sha256'] = sha(open(arg, 'rb').read())
    elif mode == 'extra-input':      # an input that nobody used
        deps.append({'name': 'x', 'uri': 'git+https://good.example/repo', 'digest': {'sha256': '0' * 64}})
    elif mode == 'layers':
        definition['internalParameters']['layers'][0]['to'] = '/elsewhere'
    elif mode == 'clock':
        definition['internalParameters']['sourceDateEpoch'] = 1
    elif mode == 'output-tree':
        definition['internalParameters']['outputTree'] = definition['internalParameters']['layers'][0]['tree'] = 'sha256:' + '1' * 64
        next(s for s in subject if s['name'].startswith('build:'))['digest']['sha256'] = '1' * 64
        byproducts = st['predicate']['runDetails']['byproducts']
        byproducts.remove(next(b for b in byproducts if b['name'] == 'trees/output.mtree'))
    elif mode == 'evil-layer':       # another layer under the config, and so the diff ID, of the honest one
        b = io.BytesIO()
        with tarfile.open(fileobj=b, mode='w') as t:
            i = tarfile.TarInfo('evil'); i.size = 4; t.addfile(i, io.BytesIO(b'evil'))
        subject[0]['digest']['sha256'], tar = image([gzip.compress(b.getvalue(), mtime=0)], parts(old + '/image.tar')[1], 'latest')
    elif mode == 'subject-order':    # the honest archive's digest second, the real (other tag) third
        honest = sha(tar)
        subject[0]['digest']['sha256'], tar = image(*parts(old + '/image.tar'), 'evil')
        subject.insert(1, {'name': 'aaa', 'digest': {'sha256': honest}})
    next(s for s in subject if s['name'] == 'image.tar')['digest']['sha256'] = sha(tar)
    open(new + '/image.tar', 'wb').write(tar)
    open(new + '/provenance.json', 'wb').write(canon(st))


if __name__ == '__main__':
    main(*sys.argv[1:])
