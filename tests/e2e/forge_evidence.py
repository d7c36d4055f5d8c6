#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""forge_evidence.py MODE OLD NEW: a copy of a file of evidence that lies in one way; of well-formed archives, whose blobs hash to their names, unless
the lie is that they do not."""
import gzip, io, json, sys, tarfile
from forge import canon, header, sha

mode, old, new = sys.argv[1:4]
TITLE = 'org.opencontainers.image.title'
data = open(old, 'rb').read()
with tarfile.open(old) as t:
    blobs = {m.name[13:]: t.extractfile(m).read() for m in t if m.isfile() and m.name.startswith('blobs/')}
    index = json.load(t.extractfile('index.json'))
manifest = json.loads(blobs.pop(index['manifests'][0]['digest'][7:]))
layers = {l['annotations'][TITLE]: l for l in manifest['layers']}


def replace(title, content):
    """Other content under that title, with its right digest."""
    l = layers[title]
    blobs[sha(content)] = content
    l['digest'], l['size'] = 'sha256:' + sha(content), len(content)


def changed_tree(title):
    """The tree's tar with one byte of one file changed."""
    plain = bytearray(gzip.decompress(blobs[layers[title]['digest'][7:]]))
    with tarfile.open(fileobj=io.BytesIO(bytes(plain))) as t:
        m = next(m for m in t if m.isfile() and m.size > 0)
    plain[m.offset_data] ^= 1
    return gzip.compress(bytes(plain), mtime=0)


def write(names=None):
    member = lambda n, b: header(n, len(b)) + b + b'\0' * (-len(b) % 512)
    text = canon(manifest)
    blobs[sha(text)] = text
    index['manifests'][0].update(digest='sha256:' + sha(text), size=len(text))
    out = member('oci-layout', b'{"imageLayoutVersion":"1.0.0"}') + member('index.json', canon(index))
    out += header('blobs', 0, True) + header('blobs/sha256', 0, True)
    return out + b''.join(member('blobs/sha256/' + d, blobs[d]) for d in sorted(blobs)) + b'\0' * 1024


if mode == 'source-byte':
    at = layers['source/src']['digest'][7:]
    blobs[at] = blobs[at][:-9] + bytes([blobs[at][-9] ^ 1]) + blobs[at][-8:]
elif mode == 'source-restated':
    replace('source/src', changed_tree('source/src'))
elif mode == 'rootfs-restated':
    replace('rootfs', changed_tree('rootfs'))
elif mode == 'source-swapped':
    layers['source/data']['digest'] = layers['source/src']['digest']
elif mode == 'source-missing':
    manifest['layers'].remove(layers['source/data'])
elif mode == 'profile-missing':
    del blobs[layers['profile']['digest'][7:]]
    manifest['layers'].remove(layers['profile'])
elif mode == 'spec-restated':
    del blobs[layers['spec']['digest'][7:]]
    replace('spec', b'other')
elif mode == 'layer-swapped':
    image = json.loads(blobs[index['manifests'][1]['digest'][7:]])
    evil = gzip.compress(b'\0' * 1024, mtime=0)
    blobs[sha(evil)] = evil
    image['layers'][0].update(digest='sha256:' + sha(evil), size=len(evil))
    text = canon(image)
    blobs[sha(text)] = text
    index['manifests'][1].update(digest='sha256:' + sha(text), size=len(text))
elif mode == 'layer-repeated':   # nobody vouches for it: what is read of it must not grow with how often it is named
    image = json.loads(blobs[index['manifests'][1]['digest'][7:]])
    evil = bytes(32 << 20)
    blobs[sha(evil)] = evil
    image['layers'] = [dict(image['layers'][0], digest='sha256:' + sha(evil), size=len(evil))] * 500
    text = canon(image)
    blobs[sha(text)] = text
    index['manifests'][1].update(digest='sha256:' + sha(text), size=len(text))
elif mode == 'tag':
    index['manifests'][1]['annotations']['org.opencontainers.image.ref.name'] = 'evil'
elif mode == 'bundle-byte':
    b = blobs[layers['provenance.sigstore.json']['digest'][7:]]
    replace('provenance.sigstore.json', b.replace(b'"payload":"ey', b'"payload":"ez', 1))
elif mode == 'no-bundle':
    manifest['layers'].remove(layers['provenance.sigstore.json'])
elif mode == 'rootfs-is-manifest':   # what hashes to a tree's digest is its manifest, and not its files
    del blobs[layers['rootfs']['digest'][7:]]
    manifest['layers'].remove(layers['rootfs'])
elif mode == 'source-is-manifest':
    del blobs[layers['source/data']['digest'][7:]]
    manifest['layers'].remove(layers['source/data'])
elif mode == 'manifest-restated':
    replace('trees/output.mtree', blobs[layers['trees/output.mtree']['digest'][7:]].replace(b'mode=0755', b'mode=0644', 1))
elif mode == 'manifest-swapped':
    layers['trees/output.mtree']['digest'] = layers['trees/rootfs.mtree']['digest']
    layers['trees/output.mtree']['size'] = layers['trees/rootfs.mtree']['size']
elif mode == 'manifest-unnamed':
    manifest['layers'].append(dict(layers['trees/output.mtree'], annotations={TITLE: 'trees/evil.mtree'}))
elif mode == 'manifest-repeated':
    manifest['layers'].append(layers['trees/rootfs.mtree'])
elif mode == 'manifest-missing':
    del blobs[layers['trees/output.mtree']['digest'][7:]]
elif mode == 'no-manifests':         # as older versions wrote it
    for title in [t for t in layers if t.startswith('trees/')]:
        del blobs[layers[title]['digest'][7:]]
        manifest['layers'].remove(layers[title])
elif mode == 'extra-manifest':
    index['manifests'].append(index['manifests'][1])

result = write()
if mode == 'cut':
    result = data[:-1]
elif mode == 'appended':
    result = data + b'\0' * 512
open(new, 'wb').write(result)
