import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ImageRecord } from '../../../src/actions/release/record.ts';
import { type DeliveryRig, openDelivery, readDelivered } from '../../support/deliver/delivery-rig.ts';
import { pullImageId } from '../../support/deliver/pulled-image.ts';
import { ensureKubernetesValidate } from '../../support/deployers/fetched-programs.ts';
import { ensureNewerPackage } from '../../support/deployers/newer-package.ts';

let rig: DeliveryRig;
let release: ImageRecord;
let next: ImageRecord;

beforeAll(async () => {
  rig = await openDelivery({ word: 'kubernetes' });
  release = await rig.release('1.0.1');
  next = await rig.release('1.0.2');
});
afterAll(() => rig[Symbol.asyncDispose]());

/** Lists the images of a text. Each must be of the tests' registry, by digest. */
const listImages = (text: string) => [...text.matchAll(/image: (\S+)/g)].map(([, image]) => image!);
const idOf = (reference: string) => pullImageId(inject('engineHost'), reference);

/** Lets the judge read a manifest. Returns its exit code. */
async function validate(text: string) {
  const [program, ...args] = await ensureKubernetesValidate();
  const file = join(rig.cli.dir, 'judged.yaml');
  writeFileSync(file, text);
  const { exitCode, all } = await execa(program, [...args, file], { reject: false, all: true });
  return { exitCode, all };
}

test('without a template the manifest is one that Kubernetes takes, of the released image', async () => {
  const plain = await rig.deliver(['kubernetes', '1.0.1']);
  expect(plain.exitCode, plain.stderr).toBe(0);
  expect(await validate(plain.stdout)).toMatchObject({ exitCode: 0 });
  expect((await validate(plain.stdout.replace('replicas: 1', 'replicas: one'))).exitCode).not.toBe(0);
  expect((await validate(plain.stdout.replace('containerPort', 'port'))).exitCode).not.toBe(0);
  const [image, ...others] = listImages(plain.stdout);
  expect([await idOf(image!), others]).toEqual([release.imageId, []]);
});

test('all that a service can say is taken', async () => {
  rig.describe(`  service:
    health: /health
    cpu: 0.25
    memory: 96m
    args: [--name, "a $b", "yes"]
    env: {PRICE: "1.10", OCTAL: "0755", TIME: "12:30:45", TEXT: "it's \\"so\\"\\n$(HOME) é"}
    volumes:
      - {from: data, to: /data}
      - {from: /srv, to: /srv, readOnly: true}
  targets:
    kubernetes:
      kind: kubernetes
      options: {namespace: shop, replicas: 3, publish: 80, readOnly: true, pullSecret: registry}
`);
  const { stdout, stderr, exitCode } = await rig.deliver(['kubernetes', '1.0.1']);
  expect(exitCode, stderr).toBe(0);
  expect(await validate(stdout)).toMatchObject({ exitCode: 0 });
  expect(stdout).toContain('value: "12:30:45"');
});

test('kustomize gives a folder of the repository the released image, the next one, and the former again', async () => {
  const containers = (image: string) => `{template: {spec: {containers: [{name: web, image: "${image}"}]}}}`;
  const files = {
    'base/kustomization.yaml': 'resources: [web.yaml, rollout.yaml]\n',
    'base/web.yaml': `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: ${containers(rig.name)}\n`,
    'base/rollout.yaml': `apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: web}\nspec: ${containers(`${rig.registry.host}/${rig.name}`)}\n`,
    'production/kustomization.yaml': 'resources: [../base]\nnamePrefix: production-\n',
    'plain/web.yaml': `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {initContainers: [{name: migrate, image: "${rig.name}"}], containers: [{name: redis, image: "redis:7"}]}\n`,
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(rig.rootDir, 'deploy', path, '..'), { recursive: true });
    writeFileSync(join(rig.rootDir, 'deploy', path), text);
  }
  rig.describe(`  targets:
    production: {kind: kubernetes, template: deploy, options: {path: production, namespace: shop}}
    plain: {kind: kubernetes, template: deploy/plain}
`);
  const kustomize = join(await ensureNewerPackage('kustomize'), 'usr/bin/kustomize');
  const kubectlDir = join(await ensureNewerPackage('kubectl'), 'usr/bin');
  const env = { PATH: `${kubectlDir}${delimiter}${process.env.PATH}` };
  const deliver = async (target: string, version: string) => {
    const record = await rig.delivered([target, version, '--output', `out/${target}`, '--check'], { env });
    expect(record.checked).toEqual([{ program: 'kubectl', ran: true }]);
    const { stdout } = await execa(kustomize, ['build', record.dir!]);
    return { stdout, files: record.files, text: readDelivered(record, 'kustomization.yaml') };
  };
  const first = await deliver('production', '1.0.1');
  const images = listImages(first.stdout);
  expect([images.length, new Set(images).size, await idOf(images[0]!)]).toEqual([2, 1, release.imageId]);
  expect(first.stdout).toContain('name: production-web\n  namespace: shop');
  const second = await deliver('production', '1.0.2');
  expect(await idOf(listImages(second.stdout)[0]!)).toBe(next.imageId);
  const changed = second.files.filter(({ sha256 }, index) => first.files[index]!.sha256 !== sha256);
  expect(changed.map(({ path }) => path)).toEqual(['kustomization.yaml']);
  expect(await deliver('production', '1.0.1')).toEqual(first);
  const [own, other] = listImages((await deliver('plain', '1.0.2')).stdout).sort();
  expect([await idOf(own!), other]).toEqual([next.imageId, 'redis:7']);
});

test('a manifest that names the image by hand is a mistake with its place', async () => {
  writeFileSync(
    join(rig.rootDir, 'deploy/plain/web.yaml'),
    `apiVersion: v1\nkind: Pod\nspec:\n  containers:\n    - image: ${rig.name}:1.0.0\n`,
  );
  const { exitCode, stderr } = await rig.deliver(['plain', '1.0.1', '--output', 'out/plain']);
  expect([exitCode, rig.plain(stderr).replace(/\^+/, '^')]).toMatchInlineSnapshot(`
    [
      2,
      "error: one mistake in deploy/plain/web.yaml

      deploy/plain/web.yaml:5:14  spec.containers[0].image: expected the plain name acme/NAME: gbuild writes the digest of acme/NAME:1.0.1, found "acme/NAME:1.0.0"
          4 |   containers:
        > 5 |     - image: acme/NAME:1.0.0
            |              ^
        leave tag and digest out
    ",
    ]
  `);
});

test('a link in a template is refused: what it names would be missing in silence', async () => {
  symlinkSync('../base/web.yaml', join(rig.rootDir, 'deploy/plain/link.yaml'));
  const { exitCode, stderr } = await rig.deliver(['plain', '1.0.1', '--output', 'out/plain']);
  expect([exitCode, rig.plain(stderr)]).toMatchInlineSnapshot(`
    [
      2,
      "error: link.yaml in the template <dir>/kubernetes/deploy/plain is neither a file nor a folder
      try: put the file itself in the place of a link to it
    ",
    ]
  `);
});
