import { createReadStream, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { commitAll, openCli } from '../../support/cli/cli.ts';
import { startEngineContainer } from '../../support/engines/engine-container.ts';
import { askEngine } from '../../support/engines/engine-http.ts';
import { importImage, inspectImage, removeRepository } from '../../support/engines/engine-images.ts';
import { installPackages, isInstalled } from '../../support/engines/test-engine.ts';

const engine = inject('engineHost');
const name = `e2e-output-${process.pid}`;
const base = `${name}-base:1`;
const cli = openCli({ engine, toolchain: base });
let rootDir: string;
let record: ImageRecord;

beforeAll(async () => {
  if (!isInstalled('skopeo') || !isInstalled('umoci')) await installPackages(['skopeo', 'umoci']);
  await importImage(engine, base, { here: 'a base' });
  rootDir = cli.tasks(
    name,
    'image: {entrypoint: [/app/src/run.sh], expose: [8080], layers: [{name: application, from: [src]}]}\n',
    { 'src/run.sh': '#!/bin/sh\n', 'src/text': 'text\n' },
  );
  expect((await cli.run(['lock'], { cwd: rootDir })).exitCode).toBe(0);
  commitAll(rootDir, 'second');
  record = await release('one');
});
afterAll(async () => {
  await removeRepository(engine, name);
  await removeRepository(engine, `${name}-base`);
  cli[Symbol.dispose]();
});

/** Releases with both outputs into a folder that is not there yet. */
async function release(folder: string): Promise<ImageRecord> {
  const outputs = [`oci:${join(cli.dir, folder, 'layout')}`, `docker-archive:${join(cli.dir, folder, 'image.tar')}`];
  const flags = outputs.flatMap((output) => ['--output', output]);
  const { stdout, stderr } = await cli.run(['image', '--release', '1.0.0', '--json', ...flags], { cwd: rootDir });
  expect(stderr).not.toContain('error');
  return JSON.parse(stdout) as ImageRecord;
}

/** Every file below a folder with its mode and digest. */
function listBytes(folder: string): string[] {
  const dir = join(cli.dir, folder);
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(dir, path)).isFile())
    .sort()
    .map((path) => `${path} ${digestOf(readFileSync(join(dir, path)))}`);
}

test('the same release gives the same bytes, in a layout and in an archive', async () => {
  expect((await release('two')).imageId).toBe(record.imageId);
  const one = listBytes('one');
  expect(one.length).toBe(7);
  expect(listBytes('two')).toEqual(one);
});

test('a layout that holds it already is left as it is', async () => {
  const before = listBytes('one');
  await release('one');
  expect(listBytes('one')).toEqual(before);
});

test('skopeo reads the layout, finds every blob whole, and sees what was released', () => {
  const layout = `oci:${join(cli.dir, 'one/layout')}:${record.reference}`;
  const inspected = JSON.parse(execaSync('skopeo', ['inspect', layout]).stdout) as Record<string, unknown>;
  expect(inspected).toMatchObject({
    Digest: record.manifestDigest,
    Created: record.created,
    Architecture: 'amd64',
    Os: 'linux',
    Labels: { 'org.opencontainers.image.revision': record.commit, 'org.opencontainers.image.version': '1.0.0' },
  });
  expect((inspected.Layers as string[]).slice(-1)).toEqual([record.layers[0]?.diffId]);
  const config = JSON.parse(execaSync('skopeo', ['inspect', '--config', layout]).stdout) as { config: object };
  expect(config.config).toMatchObject({
    User: '65532:65532',
    Entrypoint: ['/app/src/run.sh'],
    ExposedPorts: { '8080/tcp': {} },
  });
  execaSync('skopeo', ['copy', '--insecure-policy', layout, `dir:${join(cli.dir, 'copied')}`]);
  const manifest = execaSync('skopeo', ['inspect', '--raw', `docker-archive:${join(cli.dir, 'one/image.tar')}`]).stdout;
  expect(JSON.parse(manifest)).toMatchObject({ config: { digest: record.imageId } });
});

test('umoci unpacks the layout: owners, modes and times are those of every layer', () => {
  const bundle = join(cli.dir, 'bundle');
  execaSync('umoci', ['unpack', '--image', `${join(cli.dir, 'one/layout')}:${record.reference}`, bundle]);
  const found = ['app/src', 'app/src/run.sh', 'app/src/text'].map((path) => {
    const { uid, gid, mode, mtimeMs } = statSync(join(bundle, 'rootfs', path));
    return [path, uid, gid, (mode & 0o7777).toString(8), new Date(mtimeMs).toISOString()];
  });
  expect(found).toEqual([
    ['app/src', 0, 0, '755', '1980-01-01T00:00:01.000Z'],
    ['app/src/run.sh', 0, 0, '755', '1980-01-01T00:00:01.000Z'],
    ['app/src/text', 0, 0, '644', '1980-01-01T00:00:01.000Z'],
  ]);
});

test('another engine loads the archive as the same image', async () => {
  await using other = await startEngineContainer(engine);
  const body = createReadStream(join(cli.dir, 'one/image.tar'));
  const { status, text } = await askEngine(other.host, 'POST', '/images/load?quiet=1', { body });
  expect([status, text.includes('"error"')], text).toEqual([200, false]);
  expect((await inspectImage(other.host, record.reference))?.Id).toBe(record.imageId);
});

test('a development image is written out whole too, and the release store does not keep it', async () => {
  const store = () => readdirSync(join(cli.dataDir, 'store/blobs/sha256')).length;
  const before = store();
  writeFileSync(join(rootDir, 'src/text'), 'changed\n');
  const output = `oci:${join(cli.dir, 'development')}`;
  const { exitCode, stdout } = await cli.run(['image', '--json', '--output', output], { cwd: rootDir });
  const { reference, manifestDigest } = JSON.parse(stdout) as ImageRecord;
  const inspected = execaSync('skopeo', ['inspect', '--format', '{{.Digest}}', `${output}:${reference}`]).stdout;
  expect([exitCode, inspected, store()]).toEqual([0, manifestDigest, before]);
});
