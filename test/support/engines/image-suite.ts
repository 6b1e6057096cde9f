import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuildEvent, bareContainer, connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { dropStaging, loadImage } from '../../../src/engine/transfer/load-image.ts';
import { saveImage } from '../../../src/engine/transfer/save-image.ts';
import type { GbuildError } from '../../../src/errors.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { extendImage, type Image, scratchImage } from '../../../src/oci/image/image.ts';
import { type Layer, packLayer } from '../../../src/oci/layer/layer.ts';
import { writeTar } from '../../../src/oci/tar/tar.ts';
import { endpointOf } from './endpoint-of.ts';
import type { Subject } from './engine-suite.ts';
import { loneOwner } from './lone-owner.ts';
import { collectOutput, neverStop } from './run-io.ts';

/** Tests what every real engine must do with images, volumes and secrets, in any generation and with any store. */
export function describeImages(name: string, open: () => Promise<Subject>): void {
  describe(name, () => {
    const repository = `gbuild-test/suite-${process.pid}`;
    let tempDir: string;
    let subject: Subject;
    let engine: Engine;
    let base: Image;

    beforeAll(async () => {
      tempDir = mkdtempSync(join(tmpdir(), 'gbuild-suite-'));
      subject = await open();
      engine = connectEngine(endpointOf(subject.host), { owner: readOwner(), runId: `suite-${process.pid}` });
      base = await saveImage(engine, subject.image, tempDir);
    });
    afterAll(async () => {
      for (const { tags } of (await engine?.listImages({ reference: `${repository}:*` })) ?? [])
        for (const tag of tags) await engine.removeImage(tag);
      engine?.close();
      await subject?.[Symbol.asyncDispose]();
      rmSync(tempDir, { recursive: true, force: true });
    });

    const imageOf = (content: string, below: Image = base) => {
      const layer = packLayer([textFile('app/file', content)], { createdBy: 'suite' });
      const known = below.layers.map(({ diffId, size }) => ({ diffId, size }));
      const config = { Cmd: ['cat', '/app/file'] };
      return extendImage({ config: below.config, layers: known }, [layer], { created: '2024-05-06T07:08:09Z', config });
    };
    const load = async (image: Image, tag: string, baseLayers?: Layer[]) => {
      const loaded = await loadImage(engine, image, { repository, baseLayers, stop: neverStop() });
      await engine.tagImage(loaded.engineId, `${repository}:${tag}`);
      await dropStaging(engine, image);
      return loaded;
    };
    const runScript = async (image: string, script: string) => {
      const output = collectOutput();
      const spec = bareContainer(image, ['sh', '-c', script]);
      await engine.runContainer(spec, { onOutput: output.take, stop: neverStop() });
      return output.read().stdout;
    };
    const build = (dockerfile: string, tag: string, onProgress: (event: BuildEvent) => void = () => {}) =>
      engine.buildImage({
        context: [tarOf({ Dockerfile: dockerfile.replace('BASE', subject.image), plain: 'x' })],
        tags: [`${repository}:${tag}`],
        args: { WORD: 'given' },
        labels: { 'io.gbuild.test': 'suite' },
        stop: neverStop(),
        onProgress,
      });

    test('loads an image without the layers of its base, and it runs', async () => {
      const image = imageOf('thin');
      const { engineId, sent } = await load(image, 'thin', subject.isCompressed ? base.layers : undefined);
      expect([image.id, image.manifestDigest]).toContain(engineId);
      expect(sent).toBe(subject.isCompressed ? 1 + base.layers.length : 1);
      expect((await engine.inspectImage(`${repository}:thin`))?.diffIds).toEqual(image.config.rootfs.diff_ids);
      expect(await runScript(`${repository}:thin`, 'cat /app/file')).toBe('thin');
      expect((await load(image, 'thin')).sent).toBe(0);
    });

    test('sends of the next image only what the last one did not have', async () => {
      const below = imageOf('below');
      await load(below, 'below');
      const top = packLayer([textFile('app/top', 'top')], { createdBy: 'suite' });
      const known = [...base.layers, ...below.layers].map(({ diffId, size }) => ({ diffId, size }));
      const next = extendImage({ config: below.config, layers: known }, [top], { created: '2024-05-06T07:08:09Z' });
      const whole = { ...next, layers: [...below.layers, top], baseDiffIds: base.config.rootfs.diff_ids };
      expect((await load(whole, 'next')).sent).toBe(1);
      expect(await runScript(`${repository}:next`, 'cat /app/file /app/top')).toBe('belowtop');
    });

    test('takes a whole archive of an image whose base it has never seen', async () => {
      const root = packLayer([textFile('etc/name', 'whole')], { createdBy: 'suite' });
      const platform = { architecture: base.config.architecture, os: 'linux' };
      const image = extendImage(scratchImage(platform), [root], { created: '2024-05-06T07:08:09Z' });
      await load(image, 'whole');
      expect((await engine.readImageFiles(`${repository}:whole`, ['/etc/name'])).get('/etc/name')?.toString()).toBe(
        'whole',
      );
    });

    test('refuses an image whose base is not there, whatever the engine said; with it, it loads', async () => {
      const content = `${Math.random()}`;
      const gone = packLayer([textFile('etc/gone', content)], { createdBy: 'suite' });
      const below = extendImage({ config: base.config }, [gone], { created: '2024-05-06T07:08:09Z' });
      const image = imageOf('broken', { ...below, layers: [...base.layers, gone] });
      await expect(loadImage(engine, image, { repository, stop: neverStop() })).rejects.toMatchObject({
        code: 'engine-failed',
      });
      const staging = engine.stagingReference(image.id.slice('sha256:'.length, 'sha256:'.length + 12));
      expect(await engine.inspectImage(staging)).toBeUndefined();
      const whole = [...base.layers, gone];
      const { sent } = await loadImage(engine, image, { repository, baseLayers: whole, stop: neverStop() });
      expect([sent, await runScript(staging, 'cat /etc/gone /app/file')]).toEqual([
        whole.length + 1,
        `${content}broken`,
      ]);
      await dropStaging(engine, image);
    });

    test('gives back a saved image of the same config and layers', async () => {
      const image = imageOf('saved');
      await load(image, 'saved');
      const saved = await saveImage(engine, `${repository}:saved`, join(tempDir, 'again'));
      expect([saved.id, saved.config.rootfs.diff_ids]).toEqual([image.id, image.config.rootfs.diff_ids]);
    });

    test('lists, tags and removes by the names it was given', async () => {
      await load(imageOf('names'), 'one');
      await engine.tagImage(`${repository}:one`, `${repository}:two`);
      expect((await engine.inspectImage(`${repository}:two`))?.tags).toEqual(
        expect.arrayContaining([`${repository}:one`, `${repository}:two`]),
      );
      const listed = await engine.listImages({ reference: `${repository}:two` });
      expect(listed.flatMap(({ tags }) => tags)).toContain(`${repository}:two`);
      await engine.removeImage(`${repository}:one`);
      await engine.removeImage(`${repository}:one`);
      expect(await engine.inspectImage(`${repository}:one`)).toBeUndefined();
      expect(await engine.inspectImage(`${repository}:two`)).toBeDefined();
      await expect(engine.tagImage(`${repository}:none`, `${repository}:x`)).rejects.toMatchObject({
        code: 'image-missing',
      });
    });

    test('removes a dead owner’s staging image in a sweep and leaves a living one', async () => {
      const owners = loneOwner();
      const dead = connectEngine(engine.endpoint, { owner: owners.dead, runId: 'dead' });
      const living = connectEngine(engine.endpoint, { owner: owners.living, runId: 'living' });
      await engine.tagImage(subject.image, dead.stagingReference('x'));
      await engine.tagImage(subject.image, living.stagingReference('x'));
      expect((await living.sweep()).images).toEqual([dead.stagingReference('x')]);
      expect((await living.removeRun()).images).toEqual([living.stagingReference('x')]);
      dead.close();
      living.close();
    });

    test('builds an image with arguments and labels, shows steps and lines, and gives its id', async () => {
      const events: BuildEvent[] = [];
      const dockerfile = `FROM BASE\nARG WORD\nRUN echo "word is $WORD"; true ${Math.random()}\nCOPY plain /x\n`;
      const id = await build(dockerfile, 'built', (event) => events.push(event));
      const built = await engine.inspectImage(`${repository}:built`);
      expect([built?.id, built?.config.Labels?.['io.gbuild.test']]).toEqual([id, 'suite']);
      const run = events.find((event) => event.kind === 'step' && /RUN echo/.test(event.name));
      const lines = events.filter((event) => event.kind === 'log' && event.id === run?.id);
      expect(lines).toEqual([{ kind: 'log', id: run?.id, line: 'word is given' }]);
    });

    test('names the step of a build that fails, with its last lines', async () => {
      const script = 'for i in $(seq 1 30); do echo line $i; done; exit 7';
      const failure = await build(`FROM BASE\nRUN ${script}\n`, 'failed').catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({
        code: 'engine-failed',
        facts: { step: expect.stringContaining('RUN for i in') },
      });
      expect((failure as GbuildError).message).toContain('\n  line 30');
      expect(await engine.inspectImage(`${repository}:failed`)).toBeUndefined();
    });

    test('keeps a volume between runs, starts it as the image says, and removes it', async () => {
      const volume = `gbuild-test-${process.pid}`;
      const mounts = [
        { type: 'volume', name: volume, containerDir: '/opt', labels: { 'io.gbuild.test': 'suite' }, copy: true },
      ] as const;
      const spec = (script: string) => ({ ...bareContainer(subject.image, ['sh', '-c', script]), mounts: [...mounts] });
      const run = async (script: string) => {
        const output = collectOutput();
        await engine.runContainer(spec(script), { onOutput: output.take, stop: neverStop() });
        return output.read().stdout;
      };
      await run('echo kept >/opt/file');
      expect(await run('cat /opt/file')).toBe('kept\n');
      expect((await engine.volumes.list('io.gbuild.test=suite')).map(({ name }) => name)).toEqual([volume]);
      expect((await engine.volumes.readSizes()).get(volume)).toBeGreaterThan(0);
      await engine.volumes.remove(volume);
      expect(await engine.volumes.list('io.gbuild.test=suite')).toEqual([]);
    });

    test('gives a command its secrets on a tmpfs, for its user alone', async () => {
      const output = collectOutput();
      const script = 'stat -c "%u %a" /run/secrets/TOKEN; cat /run/secrets/TOKEN; exit 3';
      const { exitCode } = await engine.runContainer(
        {
          ...bareContainer(subject.image, ['sh', '-c', script]),
          user: '1000:1000',
          mounts: [{ type: 'tmpfs', containerDir: '/run/secrets', size: 1 << 20 }],
          secrets: [{ path: '/run/secrets/TOKEN', value: Buffer.from('a value') }],
        },
        { onOutput: output.take, stop: neverStop() },
      );
      expect([exitCode, output.read().stdout]).toEqual([3, '1000 400\na value']);
    });

    test('has a terminal of the given size', async () => {
      const output = collectOutput();
      const script = 'test -t 1 && while [ "$(stty size 2>/dev/null)" != "17 91" ]; do sleep 0.05; done; stty size';
      const spec = { ...bareContainer(subject.image, ['sh', '-c', script]), tty: true, stdin: true };
      const terminal = { columns: 91, rows: 17, onResize() {} };
      await engine.runContainer(spec, { onOutput: output.take, terminal, stop: neverStop() });
      expect(output.read().stdout).toBe('17 91\r\n');
    });
  });
}

function textFile(path: string, text: string) {
  const bytes = Buffer.from(text);
  return { path, type: 'file', executable: false, content: { bytes, size: bytes.length } } as const;
}

function tarOf(files: Record<string, string>): Buffer {
  const items = Object.entries(files).map(([path, text]) => {
    const bytes = Buffer.from(text);
    const header = { path, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, mtime: 1, size: bytes.length };
    return { header, content: { bytes, size: bytes.length } };
  });
  return Buffer.concat([...writeTar(items)]);
}
