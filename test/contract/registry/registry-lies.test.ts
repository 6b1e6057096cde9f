import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readRemoteSet } from '../../../src/actions/store/remote-set.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { mediaTypes } from '../../../src/oci/spec.ts';
import { readLayer, readRemote } from '../../../src/registry/image/pull-image.ts';
import { pushBytes } from '../../../src/registry/image/push-image.ts';
import { errorOf } from '../../support/assert/error-of.ts';
import { type FaultAction, type FaultProxy, startFaultProxy } from '../../support/network/fault-proxy.ts';
import { makeBlob, makeManifest, openRig, type RegistryRig, readAll } from '../../support/registry/registry-rig.ts';
import { type SpecRegistry, startSpecRegistry } from '../../support/registry/spec-registry.ts';

let registry: SpecRegistry;
let proxy: FaultProxy;
const blob = makeBlob(400_000);
const manifest = makeManifest(blob.descriptor);

beforeAll(async () => {
  registry = await startSpecRegistry();
  proxy = await startFaultProxy(registry.host);
  using rig = openRig();
  await open(rig).writeBlob(blob.descriptor, blob.open);
  await open(rig).writeManifest('1', manifest.bytes, manifest.mediaType);
});
beforeEach(() => proxy.reset());
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await registry[Symbol.asyncDispose]();
});

const open = (rig: RegistryRig) => rig.repository({ registry: proxy.host, path: 'team/app' });
const answer = (body: string, headers: Record<string, string> = {}): FaultAction => ({
  answer: { status: 200, headers, body },
});

async function failureOf(call: () => unknown) {
  const { code, message, suggestions } = await errorOf(call);
  const tame = (text: string) =>
    text.replaceAll(proxy.host, '<registry>').replaceAll(/sha256:[0-9a-f]{64}/g, '<digest>');
  return { code, message: tame(message), suggestions: suggestions.map(tame) };
}

describe('a registry that sends a byte a second', () => {
  test('is given up by its least speed: a small answer as a large one', async () => {
    using rig = openRig({ settings: { stallSeconds: 1 } });
    proxy.fault({ path: /manifests|blobs/, action: { dripAnswer: true } });
    expect(await failureOf(() => open(rig).readManifest('1'))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> does not answer, asked to give the manifest team/app:1: less than 1000 bytes came in 1 s (3 times in a row)",
        "suggestions": [
          "curl -v https://<registry>/v2/",
          "export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow",
        ],
      }
    `);
    using other = openRig({ settings: { stallSeconds: 1 } });
    expect(await failureOf(() => readAll(open(other).readBlob(blob.descriptor)))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry> does not answer, asked to give the blob <digest> of team/app: less than 1000 bytes came in 1 s (3 times in a row)",
        "suggestions": [
          "curl -v https://<registry>/v2/",
          "export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow",
        ],
      }
    `);
  });

  test('is asked again, and what is then right is taken', async () => {
    using rig = openRig({ settings: { stallSeconds: 1 } });
    proxy.fault({ method: 'GET', path: /blobs/, times: 1, action: { dripAnswer: true } });
    expect((await readAll(open(rig).readBlob(blob.descriptor))).equals(blob.bytes)).toBe(true);
  });
});

test('a registry that stalls is asked three times, and then gets a short chance', async () => {
  using rig = openRig({ settings: { stallSeconds: 1 } });
  proxy.fault({ path: /manifests|blobs/, action: { stallAnswer: -1 } });
  expect(await failureOf(() => open(rig).readManifest('1'))).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the registry <registry> does not answer, asked to give the manifest team/app:1: no data came for 1 s (3 times in a row)",
      "suggestions": [
        "curl -v https://<registry>/v2/",
        "export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow",
      ],
    }
  `);
  const asked = proxy.requests.length;
  expect(await failureOf(() => open(rig).headBlob(blob.descriptor.digest))).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "the registry <registry> does not answer, asked to say whether it has the blob <digest> of team/app: no data came for 0.1 s",
      "suggestions": [
        "curl -v https://<registry>/v2/",
        "export GBUILD_REQUEST_TIMEOUT=10m   # if it is only slow",
      ],
    }
  `);
  // A busy machine may not even have sent it by then.
  expect(proxy.requests.length - asked).toBeLessThanOrEqual(1);
});

describe('an upload', () => {
  const write = (rig: RegistryRig) => {
    const { descriptor, open: openBlob } = makeBlob(1000, 'new');
    return open(rig).writeBlob(descriptor, openBlob);
  };

  test.each([
    'file:///etc/passwd',
    'ftp://127.0.0.1/upload',
    'mailto:root',
    'http://[127.0.0.1/',
    'http://127.0.0.1:99999/',
  ])('that is to go to %s fails with it', async (location) => {
    using rig = openRig();
    proxy.fault({ method: 'POST', action: { withHeaders: { location } } });
    const { code, message } = await failureOf(() => write(rig));
    expect({ code, message }).toEqual({
      code: 'registry-failed',
      message: `the registry <registry>, asked to take the blob <digest> of team/app, points to "${location}", which is not an http address`,
    });
  });

  test('that is to go nowhere fails', async () => {
    using rig = openRig();
    proxy.fault({ method: 'POST', action: { without: ['location'] } });
    expect(await failureOf(() => write(rig))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry>, asked to take the blob <digest> of team/app, does not say where to: its answer has no Location",
        "suggestions": [
          "curl -v https://<registry>/v2/   # is it a registry? Whoever runs it should know",
        ],
      }
    `);
  });

  test.each(['0-99999999', '7-8', '99-1', 'bytes', '0-0'])(
    'of which the registry says it has %s ends, whole or with an error',
    async (range) => {
      using rig = openRig({ settings: { chunkBytes: 1000 } });
      const { descriptor, open: openBlob } = makeBlob(5000, range);
      proxy.fault({ method: 'PUT', times: 1, action: { drop: 'before' } });
      proxy.fault({ method: 'PATCH', action: { withHeaders: { range } } });
      const failure = await open(rig)
        .writeBlob(descriptor, openBlob)
        .then(
          () => undefined,
          (thrown: { code: string }) => thrown.code,
        );
      if (failure === undefined) expect(await open(rig).headBlob(descriptor.digest)).toBe(5000);
      else expect(failure).toBe('registry-failed');
    },
  );
});

describe("an answer that is not the registry's own, and says that all is well", () => {
  const foreign = answer('<html>not what you asked for</html>');

  test('is no blob that is there: a small one is sent where its length is another', async () => {
    using rig = openRig();
    const { bytes, descriptor } = makeBlob(300, 'small');
    proxy.fault({ method: 'HEAD', times: 1, action: foreign });
    expect(await pushBytes(open(rig), bytes, { ...descriptor, mediaType: mediaTypes.config })).toBe(300);
    expect(await open(rig).headBlob(descriptor.digest)).toBe(300);
  });

  test('is no blob that was taken: it is asked for, and sent again', async () => {
    using rig = openRig();
    const { descriptor, open: openBlob } = makeBlob(3000, 'taken');
    proxy.fault({ method: 'PUT', path: /uploads/, times: 1, action: foreign });
    await open(rig).writeBlob(descriptor, openBlob);
    expect(await open(rig).headBlob(descriptor.digest)).toBe(3000);
    proxy.fault({ method: 'PUT', path: /uploads/, action: foreign });
    const other = makeBlob(3000, 'never taken');
    expect(await failureOf(() => open(rig).writeBlob(other.descriptor, other.open))).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry>, asked to take the blob <digest> of team/app, says that it did, but does not have it",
        "suggestions": [
          "run the same command again",
        ],
      }
    `);
  });

  test('is no blob that was taken while it was made', async () => {
    using rig = openRig();
    const { descriptor, open: openBlob } = makeBlob(3000, 'streamed');
    proxy.fault({ method: 'PUT', path: /uploads/, times: 1, action: foreign });
    const growing = {
      open: async function* () {
        yield* openBlob(0);
      },
      describe: () => ({ ...descriptor, mediaType: mediaTypes.layer }),
    };
    expect(await open(rig).streamBlob(growing)).toMatchObject({ broken: { offset: 3000 } });
  });

  test('is no mount', async () => {
    using rig = openRig();
    const { descriptor } = makeBlob(300, 'mounted');
    proxy.fault({ method: 'POST', action: { answer: { status: 201 } } });
    expect(await open(rig).mountBlob(descriptor.digest, 'team/other')).toBe(false);
  });

  test('gives no name: a tag is written again', async () => {
    using rig = openRig();
    proxy.fault({ method: 'PUT', path: /manifests/, times: 1, action: foreign });
    await open(rig).writeManifest('named', manifest.bytes, manifest.mediaType);
    expect((await open(rig).headManifest('named'))?.digest).toBe(manifest.descriptor.digest);
    proxy.fault({ method: 'PUT', path: /manifests/, action: foreign });
    const never = failureOf(() => open(rig).writeManifest('never', manifest.bytes, manifest.mediaType));
    expect(await never).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry <registry>, asked to take the manifest team/app:never, says that it did, but does not have it",
        "suggestions": [
          "run the same command again",
        ],
      }
    `);
  });
});

test('a list of tags that goes on where no http address is fails', async () => {
  using rig = openRig();
  proxy.fault({ path: /tags/, action: { withHeaders: { link: '<file:///etc/passwd>; rel="next"' } } });
  expect((await failureOf(() => open(rig).listTags())).message).toMatchInlineSnapshot(
    `"the registry <registry>, asked to list the tags of team/app, points to "file:///etc/passwd", which is not an http address"`,
  );
});

test.each(['', '<html>', '[]', '{}', '{"tags":5}', 'null'])('a list of tags that is %j fails', async (body) => {
  using rig = openRig();
  proxy.fault({ path: /tags/, action: answer(body) });
  expect(await failureOf(() => open(rig).listTags())).toMatchObject({
    code: 'registry-failed',
    message: 'the registry <registry>, asked to list the tags of team/app, gave an answer that is not understood',
  });
});

test.each(['', '<html>', '[]', '{}', '{"manifests":5}', '{"manifests":[null]}'])(
  'a list of referrers that is %j fails, or names none',
  async (body) => {
    using rig = openRig();
    proxy.fault({ path: /referrers/, action: answer(body) });
    const found = await open(rig)
      .listReferrers(manifest.descriptor.digest)
      .catch((thrown: { code: string }) => thrown.code);
    expect(['registry-failed', '']).toContain(String(found));
  },
);

describe('a manifest that cannot be read', () => {
  const layer = { mediaType: mediaTypes.layer, digest: blob.descriptor.digest, size: 5 };
  const config = { mediaType: mediaTypes.config, digest: blob.descriptor.digest, size: 5 };

  test.each<[string, string]>([
    ['', 'it is not a JSON object'],
    ['<html>', 'it is not a JSON object'],
    ['{"schemaVersion":2', 'it is not a JSON object'],
    ['null', 'it is not a JSON object'],
    ['[]', 'it has no list of layers'],
    ['{}', 'it has no list of layers'],
    [JSON.stringify({ config, layers: 5 }), 'it has no list of layers'],
    [
      JSON.stringify({ config, layers: [null] }),
      'its layer 1 is not a descriptor with a mediaType, a digest and a size',
    ],
    [
      JSON.stringify({ config, layers: [layer, { ...layer, digest: '../../etc' }] }),
      'its layer 2 is not a descriptor with a mediaType, a digest and a size',
    ],
    [
      JSON.stringify({ config, layers: [{ ...layer, size: -1 }] }),
      'its layer 1 is not a descriptor with a mediaType, a digest and a size',
    ],
    [
      JSON.stringify({ config: { ...config, size: '5' }, layers: [] }),
      'its config is not a descriptor with a mediaType, a digest and a size',
    ],
    [JSON.stringify({ layers: [] }), 'its config is not a descriptor with a mediaType, a digest and a size'],
  ])('is called so: %s', async (body, fault) => {
    using rig = openRig();
    proxy.fault({ path: /manifests/, action: answer(body, { 'Content-Type': mediaTypes.manifest }) });
    expect(await failureOf(() => readRemote(open(rig), '1'))).toEqual({
      code: 'registry-failed',
      message: `the manifest of <registry>/team/app:1 cannot be read: ${fault}`,
      suggestions: ['docker manifest inspect <registry>/team/app:1   # what does the registry have there?'],
    });
  });

  test.each<[string, string]>([
    ['<html>', 'it is not a JSON object'],
    ['{}', 'it has no list of manifests'],
    ['{"manifests":[null]}', 'what it lists as number 1 is not a descriptor'],
    ['{"manifests":[{"digest":5}]}', 'what it lists as number 1 is not a descriptor'],
    ['{"manifests":[{"digest":"x","platform":{"os":5}}]}', 'what it lists as number 1 is not a descriptor'],
  ])('and so is an index: %s', async (body, fault) => {
    using rig = openRig();
    proxy.fault({ path: /manifests/, action: answer(body, { 'Content-Type': mediaTypes.index }) });
    expect((await failureOf(() => readRemoteSet(open(rig), '1'))).message).toBe(
      `the index of <registry>/team/app:1 cannot be read: ${fault}`,
    );
  });

  test.each(['<html>', '[]', '{}', '{"rootfs":{"diff_ids":5}}', '{"rootfs":{"diff_ids":[]},"os":5}'])(
    'and an image whose config is %s',
    async (text) => {
      using rig = openRig();
      const bytes = Buffer.from(text);
      const bad = { digest: digestOf(bytes), size: bytes.length };
      await open(rig).writeBlob(bad, () => [bytes]);
      const { bytes: body, mediaType } = makeManifest(bad);
      await open(rig).writeManifest('bad', body, mediaType);
      const { code, message } = await failureOf(() => readRemote(open(rig), 'bad'));
      expect({ code, message }).toEqual({
        code: 'registry-failed',
        message: expect.stringMatching(/^<registry>\/team\/app:bad cannot be used: /),
      });
    },
  );
});

test('a layer that is no gzip, though its digest fits, is refused with its name', async () => {
  using rig = openRig();
  const layer = { mediaType: mediaTypes.layerGzip, ...blob.descriptor };
  expect(await failureOf(() => readAll(readLayer(open(rig), layer) as AsyncIterable<Buffer>))).toMatchInlineSnapshot(`
    {
      "code": "registry-failed",
      "message": "<registry>/team/app: the layer <digest> (application/vnd.oci.image.layer.v1.tar+gzip) cannot be unpacked: incorrect header check",
      "suggestions": [],
    }
  `);
});

test.each(['', '<html>', 'null', '[]', '{}', '{"token":5}', '{"token":""}'])(
  'a token server that answers %j is told as one that gives no token',
  async (body) => {
    using rig = openRig();
    const challenge = `Bearer realm="http://${proxy.host}/token",service="x"`;
    proxy.fault({ path: /token/, action: answer(body) });
    proxy.fault({ action: { answer: { status: 401, headers: { 'WWW-Authenticate': challenge } } } });
    expect(await failureOf(() => open(rig).headManifest('1'))).toMatchObject({
      code: 'registry-failed',
      message: 'the token server <registry> of the registry <registry> answered without a token',
    });
  },
);

test.each(['1', '100000000'])('an answer whose Content-Length is %s and wrong is refused', async (length) => {
  using rig = openRig({ settings: { stallSeconds: 1 } });
  proxy.fault({ path: /manifests|blobs/, action: { withHeaders: { 'content-length': length } } });
  expect((await failureOf(() => open(rig).readManifest('1'))).code).toBe('registry-failed');
  expect((await failureOf(() => readAll(open(rig).readBlob(blob.descriptor)))).code).toBe('registry-failed');
});
