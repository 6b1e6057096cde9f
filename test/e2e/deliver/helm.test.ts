import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { pullImageId } from '../../support/deliver/pulled-image.ts';
import { ensureHelm } from '../../support/deployers/fetched-programs.ts';

let rig: DeliveryRig;
let helm: string;
let release: ImageRecord;
let next: ImageRecord;

beforeAll(async () => {
  helm = await ensureHelm();
  rig = await openDelivery({ word: 'helm' });
  release = await rig.release('1.0.1');
  next = await rig.release('1.0.2');
  await execa(helm, ['create', 'chart'], { cwd: rig.rootDir });
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Renders the chart with delivered values. Returns the images of its containers. */
async function renderImages(...args: string[]): Promise<string[]> {
  const { dir } = await rig.delivered([...args, '--output', 'out/helm']);
  const { stdout } = await execa(helm, ['template', 'hello', 'chart', '--values', join(dir!, 'values.gbuild.yaml')], {
    cwd: rig.rootDir,
  });
  return [...stdout.matchAll(/image: "?([^"\n]+)"?$/gm)].map(([, image]) => image!);
}

const idOf = (image: string) => pullImageId(inject('engineHost'), image);
const reference = ({ version, digest }: { version: string; digest: string }) =>
  `${rig.registry.host}/${rig.name}:${version}@${digest}`;

test('a chart as helm makes it runs the released image, the next one, and the former again', async () => {
  const { published = '' } = await rig.delivered(['helm', '1.0.1']);
  const [image, ofTest] = await renderImages('helm', '1.0.1');
  expect([image, ofTest]).toEqual([reference({ version: '1.0.1', digest: published.split('@')[1]! }), 'busybox']);
  expect(await idOf(image!)).toBe(release.imageId);
  expect(await idOf((await renderImages('helm', '1.0.2'))[0]!)).toBe(next.imageId);
  expect(await renderImages('helm', '1.0.1')).toEqual([image, ofTest]);
});

test('a chart of the repository tells its keys, and options name those of another shape', async () => {
  const values = join(rig.rootDir, 'chart/values.yaml');
  rig.describe(`  targets:
    chart: {kind: helm, template: chart}
    whole: {kind: helm, template: chart/values.yaml, options: {image: "jobs.the image"}}
`);
  expect(await idOf((await renderImages('chart', '1.0.2'))[0]!)).toBe(next.imageId);
  const job = `apiVersion: v1
kind: Pod
metadata: {name: job}
spec: {containers: [{name: job, image: {{ index .Values.jobs "the image" }}}]}
`;
  writeFileSync(join(rig.rootDir, 'chart/templates/job.yaml'), job.replace('}}}]}', '}} }]}'));
  const missing = await rig.deliver(['whole', '1.0.1']);
  expect([missing.exitCode, rig.plain(missing.stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: one mistake in chart/values.yaml

      chart/values.yaml:6:1  jobs["the image"] is missing: expected a key that the chart has
          5 | # This will set the replicaset count more information can be found here: https://kubernetes.io/d
        > 6 | replicaCount: 1
            | ^^^^^^^^^^^^^^^
        say in options which keys of the values have the image: image, registry, repository, digest, tag
    ",
    ]
  `);
  const { stdout } = await execa(helm, ['show', 'values', 'chart'], { cwd: rig.rootDir });
  writeFileSync(values, `${stdout}\njobs: {"the image": ""}\n`);
  const { dir } = await rig.delivered(['whole', '1.0.1', '--output', 'out/whole']);
  const rendered = await execa(
    helm,
    ['template', 'chart', '-f', join(dir!, 'values.gbuild.yaml'), '-s', 'templates/job.yaml'],
    {
      cwd: rig.rootDir,
    },
  );
  const [, image] = /image: (\S+) }/.exec(rendered.stdout) ?? [];
  expect(await idOf(image!)).toBe(release.imageId);
});
