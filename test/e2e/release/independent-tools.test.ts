import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { formatSpdx } from '../../../src/attest/sbom/spdx.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { makeSbomInput } from '../../attest/sbom/sbom-input.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { importImage, removeRepository } from '../../support/engines/engine-images.ts';
import { startTools, type Tools } from '../../support/images/tools.ts';
import { startRegistry, type TestRegistry } from '../../support/registry/registry.ts';

const engine = inject('engineHost');
const name = `e2e-tools-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base });
const [layout, archive] = [join(cli.dir, 'layout'), join(cli.dir, 'image.tar')];
let registry: TestRegistry;
let tools: Tools;
let record: ImageRecord;
/** The repository in the registry, and the release in it by its digest. */
let repository: string;
let release: string;

beforeAll(async () => {
  await importImage(engine, base, { here: 'a base' });
  [registry, tools] = [await startRegistry(), await startTools(engine, [cli.dir])];
  const layers = '[{name: packages, from: [node_modules]}, {name: application, from: [src]}]';
  const rootDir = cli.tasks(name, `image:\n  layers: ${layers}\n  entrypoint: [/app/src/run.sh]\n`, {
    'src/run.sh': '#!/bin/sh\necho hello\n',
    // More than one block of the compressor's.
    'src/text': 'a text of many lines\n'.repeat(450_000),
    'node_modules/ms/package.json': '{"name":"ms","version":"2.1.3","license":"MIT"}\n',
  });
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'locked');
  const env = { COSIGN_PASSWORD: 'of the tests' };
  for (const pair of ['release', 'other']) await cli.run(['key', 'generate', pair], { cwd: cli.dir, env });
  const pushed = ['--push', '--registry', registry.host, '--sign-key', join(cli.dir, 'release.key')];
  const outputs = ['--output', `oci:${layout}`, '--output', `docker-archive:${archive}`];
  const args = ['image', '--release', '1.0.0', '--json', ...outputs, ...pushed];
  const { exitCode, stdout, stderr } = await cli.run(args, { cwd: rootDir, env });
  expect(exitCode, stderr).toBe(0);
  record = JSON.parse(stdout) as ImageRecord;
  repository = `${registry.host}/${name}`;
  release = `${repository}@${record.pushed!.digest}`;
});
afterAll(async () => {
  for (const each of [name, `${name}-base`]) await removeRepository(engine, each);
  await tools?.[Symbol.asyncDispose]();
  await registry?.[Symbol.asyncDispose]();
  cli[Symbol.dispose]();
});

describe.each([
  ['2', '/opt/cosign-2/usr/bin/cosign'],
  ['3', '/usr/bin/cosign'],
])('cosign %s', (_, cosign) => {
  const verify = (command: string[], reference: string, key = 'release') =>
    tools.run([cosign, ...command, '--key', join(cli.dir, `${key}.pub`), '--insecure-ignore-tlog', reference]);

  test('verifies the signature, by tag and by digest', async () => {
    for (const reference of [`${repository}:1.0.0`, release]) {
      const { exitCode, stdout, output } = await verify(['verify'], reference);
      expect(exitCode, output).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject([
        {
          critical: {
            identity: { 'docker-reference': repository },
            image: { 'docker-manifest-digest': record.pushed!.digest },
          },
        },
      ]);
    }
  });

  test.each(['slsaprovenance1', 'spdxjson', 'cyclonedx'])('verifies the attestation %s', async (type) => {
    const { exitCode, stdout, output } = await verify(['verify-attestation', '--type', type], release);
    expect(exitCode, output).toBe(0);
    const statement = JSON.parse(Buffer.from(JSON.parse(stdout).payload, 'base64').toString());
    expect(statement.subject).toEqual([{ name: repository, digest: { sha256: record.pushed!.digest.slice(7) } }]);
  });

  test('refuses another key, for the signature and for what is attested', async () => {
    const attested = ['verify-attestation', '--type', 'slsaprovenance1'];
    for (const [command, told] of [
      [['verify'], 'no matching signatures: invalid signature'],
      [attested, 'no matching attestations'],
    ] as const) {
      const { exitCode, stdout, stderr } = await verify([...command], release, 'other');
      expect([exitCode === 0, stdout, stderr.includes(told)], stderr).toEqual([false, '', true]);
    }
  });

  test('refuses the signature of another manifest', async () => {
    const { exitCode, stderr } = await verify(['verify'], await forgeManifest());
    const told = stderr.includes('no matching signatures: invalid or missing digest in claim');
    expect([exitCode === 0, told], stderr).toEqual([false, true]);
  });
});

/** The release with one more annotation, and the release's signature where this one's is looked for. */
async function forgeManifest(): Promise<string> {
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const at = (tag: string) => `http://${registry.host}/v2/${name}/manifests/${tag}`;
  const read = async (tag: string) => (await fetch(at(tag), { headers: { accept: type } })).text();
  const put = async (tag: string, body: string) => {
    const { status } = await fetch(at(tag), { method: 'PUT', body, headers: { 'content-type': type } });
    expect(status).toBe(201);
  };
  const { digest } = record.pushed!;
  const forged = JSON.stringify({ ...JSON.parse(await read(digest)), annotations: { forged: 'yes' } });
  await put('forged', forged);
  const signatureTag = (of: string) => `${of.replace(':', '-')}.sig`;
  await put(signatureTag(digestOf(Buffer.from(forged))), await read(signatureTag(digest)));
  return `${repository}:forged`;
}

const changeOneLetter = 's/echo hello/echo jello/';

/** A copy of the layout in which a file in the topmost layer has another letter; its folder. */
async function damageLayout(): Promise<string> {
  const copy = 'dir=$(mktemp -d); cp -r "$1/." "$dir"; sed -i "$3" "$dir/blobs/sha256/$2"; echo "$dir"';
  return tools.must(copy, layout, record.layers.at(-1)!.diffId.slice('sha256:'.length), changeOneLetter);
}

describe('crane', () => {
  test('finds the pushed image valid, of the digest that gbuild said', async () => {
    expect(await tools.must('crane validate --remote "$1" 2>&1', release)).toBe(`PASS: ${release}`);
    expect(await tools.must('crane digest "$1"', `${repository}:1.0.0`)).toBe(record.pushed!.digest);
    expect(`sha256:${await tools.must('crane manifest "$1" | sha256sum | cut -c1-64', release)}`).toBe(
      record.pushed!.digest,
    );
    expect(`sha256:${await tools.must('crane config "$1" | sha256sum | cut -c1-64', release)}`).toBe(record.imageId);
  });

  test('finds the archive valid, and one with another letter in it not', async () => {
    expect(await tools.must('crane validate --tarball "$1" 2>&1', archive)).toBe(`PASS: ${archive}`);
    await tools.must('sed "$1" "$2" >/tmp/damaged.tar', changeOneLetter, archive);
    const { exitCode, output } = await tools.run(['crane', 'validate', '--tarball', '/tmp/damaged.tar']);
    expect([exitCode, output.includes('FAIL: /tmp/damaged.tar')], output).toEqual([1, true]);
  });

  // Its validate takes every layer of a registry for gzip, and the layout's are not compressed.
  test('pushes the layout under its own digest', async () => {
    const own = `${registry.host}/${name}-crane`;
    expect(await tools.must('crane push "$1" "$2" 2>/dev/null', layout, `${own}:1`)).toBe(
      `${own}@${record.manifestDigest}`,
    );
  });
});

describe('oras', () => {
  test('lists what stands beside the pushed image, and pulls each document by a name of its own', async () => {
    const { referrers } = JSON.parse(await tools.must('oras discover --plain-http --format json "$1"', release));
    const listed = referrers.map(({ artifactType }: { artifactType: string }) => artifactType);
    expect(listed.sort()).toMatchInlineSnapshot(`
      [
        "application/spdx+json",
        "application/vnd.cyclonedx+json",
        "application/vnd.dev.cosign.artifact.att.v1+json",
        "application/vnd.dev.cosign.artifact.sig.v1+json",
        "application/vnd.in-toto+json",
      ]
    `);
    const pull = async (type: string) => {
      const { digest } = referrers.find(({ artifactType }: { artifactType: string }) => artifactType === type);
      const files =
        'cd "$(mktemp -d)"; oras pull --plain-http "$1" >&2; for each in *; do echo "$each"; cat "$each"; done';
      return tools.must(files, `${repository}@${digest}`);
    };
    expect(await pull('application/spdx+json')).toMatch(/^sbom\.spdx\.json\n{.*"SPDX-2\.3"/);
    expect(await pull('application/vnd.cyclonedx+json')).toMatch(/^sbom\.cdx\.json\n{.*"CycloneDX"/);
    expect(await pull('application/vnd.in-toto+json')).toMatch(
      /^provenance\.json\n{.*"https:\/\/slsa\.dev\/provenance\/v1"/,
    );
  });
});

describe('skopeo', () => {
  const inLayout = (dir: string) => `oci:${dir}:${record.reference}`;

  test('copies the pushed image into a layout without another digest', async () => {
    const copied = 'oci:/tmp/copied:1.0.0';
    await tools.must('skopeo copy --insecure-policy --src-tls-verify=false "$1" "$2"', `docker://${release}`, copied);
    const digests = await tools.must(
      'for each; do skopeo inspect --tls-verify=false --format "{{.Digest}}" "$each"; done',
      `docker://${repository}:1.0.0`,
      copied,
    );
    expect(digests.split('\n')).toEqual([record.pushed!.digest, record.pushed!.digest]);
  });

  test('makes an archive of the layout that holds the same image', async () => {
    expect(await tools.must('skopeo inspect --format "{{.Digest}}" "$1"', inLayout(layout))).toBe(
      record.manifestDigest,
    );
    const made = 'docker-archive:/tmp/skopeo.tar';
    await tools.must('skopeo copy --insecure-policy "$1" "$2"', inLayout(layout), `${made}:${record.reference}`);
    const manifest = await tools.must('skopeo inspect --raw "$1"', made);
    expect(JSON.parse(manifest)).toMatchObject({
      config: { digest: record.imageId },
    });
  });

  test('refuses a layout with another letter in it', async () => {
    const copy = ['skopeo', 'copy', '--insecure-policy', inLayout(await damageLayout()), 'dir:/tmp/damaged'];
    const { exitCode, stderr } = await tools.run(copy);
    expect([exitCode, stderr.includes('Digest did not match')], stderr).toEqual([1, true]);
  });
});

describe('umoci', () => {
  /** Every file below the root that it unpacks: owner, mode, time and what is in it. */
  const unpack = (dir: string, tag: string) =>
    tools.must(
      `bundle=$(mktemp -d); umoci unpack --image "$1:$2" "$bundle" >&2; cd "$bundle/rootfs"
      find . -type f -printf '%P %U:%G %m %Ts ' -exec sh -c 'sha256sum <"$1" | cut -c1-8' sh {} \\; | LC_ALL=C sort`,
      dir,
      tag,
    );

  test('unpacks the layout, and the files are those of the repository and the base', async () => {
    expect(await unpack(layout, record.reference)).toMatchInlineSnapshot(`
      "app/node_modules/ms/package.json 0:0 644 315532801 1d826ffc
      app/src/run.sh 0:0 755 315532801 bfdeaeb0
      app/src/text 0:0 644 315532801 fb2a86e4
      bin/sh 0:0 755 315532801 243d107b
      here 0:0 644 315532801 de94fbef"
    `);
  });

  test('unpacks the same from what was pushed, compressed as it is there', async () => {
    const copied = 'oci:/tmp/pushed:1.0.0';
    await tools.must('skopeo copy --insecure-policy --src-tls-verify=false "$1" "$2"', `docker://${release}`, copied);
    expect(await unpack('/tmp/pushed', '1.0.0')).toBe(await unpack(layout, record.reference));
  });

  test('refuses a layout with another letter in it', async () => {
    const image = `${await damageLayout()}:${record.reference}`;
    const { exitCode, stderr } = await tools.run(['umoci', 'unpack', '--image', image, '/tmp/damaged-bundle']);
    expect([exitCode, stderr.includes('digest mismatch')], stderr).toEqual([1, true]);
  });
});

describe('the validator of SPDX itself', () => {
  const validate = (file: string) => tools.run(['pyspdxtools', '--infile', file]);

  test('finds no fault with the bill of materials of the release, fetched by crane', async () => {
    const readManifest = async (reference: string) => JSON.parse(await tools.must('crane manifest "$1"', reference));
    const index = await readManifest(`${repository}:${record.pushed!.digest.replace(':', '-')}`);
    const isSpdx = ({ artifactType }: { artifactType: string }) => artifactType === 'application/spdx+json';
    const { layers } = await readManifest(`${repository}@${index.manifests.find(isSpdx).digest}`);
    const document = `${repository}@${layers[0].digest}`;
    const text = await tools.must('crane blob "$1" | tee /tmp/release.spdx.json', document);
    expect(text).toContain('pkg:npm/ms@2.1.3');
    expect(await validate('/tmp/release.spdx.json')).toMatchObject({ exitCode: 0, output: '' });
  });

  test('finds no fault with one of packages of every kind and with odd licences, and says so of a broken one', async () => {
    const [whole, broken] = [join(cli.dir, 'whole.spdx.json'), join(cli.dir, 'broken.spdx.json')];
    const text = formatSpdx(await makeSbomInput()).toString();
    writeFileSync(whole, text);
    writeFileSync(broken, text.replace('"licenseDeclared":"MIT"', '"licenseDeclared":"odd"'));
    expect(await validate(whole)).toMatchObject({ exitCode: 0, output: '' });
    expect(await validate(broken)).toMatchObject({ exitCode: 1, output: expect.stringContaining('odd') });
  });
});
