import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { openNova } from '../../support/deliver/nova-rig.ts';
import { startMoto } from '../../support/deployers/moto.ts';
import { askCodeDeploy, prepareAccount, runNova } from '../../support/deployers/nova.ts';
import { askEngine } from '../../support/engines/engine-http.ts';

test('Nova finds the bundle in its bucket, asks no engine, and deploys these very bytes', async () => {
  await using nova = await openNova('nova');
  nova.describe({ GREETING: 'good day' });
  await nova.rig.release('1.0.1');
  await using moto = await startMoto();
  await prepareAccount(moto, { bucket: 'deployments', application: 'hello', groups: ['production'] });
  const { file, key, sha256 } = await nova.bundle('1.0.1');
  const credential = 'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request';
  const headers = { Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0` };
  const put = await fetch(`${moto.url}/deployments/${key}`, { method: 'PUT', headers, body: readFileSync(file) });
  expect(put.status).toBe(200);

  const call = { moto, cwd: nova.rig.rootDir, homeDir: join(nova.rig.cli.dir, 'nova-home') };
  const { exitCode, output } = await runNova(['deploy', 'main', 'prod', '1.0.1'], call);
  expect(exitCode, output).toBe(0);
  expect(output).toContain('Existing revision found, deploying...');

  const groups = { applicationName: 'hello', deploymentGroupName: 'production' };
  const { deployments } = (await askCodeDeploy(moto, 'ListDeployments', groups)) as { deployments: string[] };
  expect(deployments).toHaveLength(1);
  const asked = await askCodeDeploy(moto, 'GetDeployment', { deploymentId: deployments[0] });
  const { s3Location } = (asked as { deploymentInfo: { revision: { s3Location: Record<string, string> } } })
    .deploymentInfo.revision;
  expect(s3Location).toMatchObject({ bucket: 'deployments', key, bundleType: 'tgz' });
  const stored = await fetch(`${moto.url}/deployments/${s3Location.key}`, { headers });
  const bytes = Buffer.from(await stored.arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
});

test('a local image with a second tag is refused; without it the archive gives the only tag', async () => {
  await using nova = await openNova('nova-local');
  const { rig, service } = nova;
  rig.describe('  targets:\n    nova: { kind: nova, options: { local: true } }\n');
  nova.describe({ GREETING: 'good day' });
  const { imageId } = await rig.release('1.0.1');
  const engine = inject('engineHost');
  const { exitCode, stderr } = await rig.deliver(['nova', '1.0.1', '--output', 'out']);
  expect([exitCode, rig.plain(stderr).replace(engine, 'ENGINE')]).toMatchInlineSnapshot(`
    [
      2,
      "error: acme/NAME:1.0.1 cannot be delivered to nova: NAME:1.0.1 must be the only tag of its image, and the engine at ENGINE also has acme/NAME:1.0.1
      try: docker rmi acme/NAME:1.0.1
    ",
    ]
  `);
  await askEngine(engine, 'DELETE', `/images/${rig.name}:1.0.1?noprune=1`);
  const { dir, files } = await rig.delivered(['nova', '1.0.1', '--output', 'out']);
  const body = createReadStream(join(dir!, files[0]!.path));
  await askEngine(engine, 'POST', '/images/load', { body });
  const loaded = JSON.parse((await askEngine(engine, 'GET', `/images/${service}:1.0.1/json`)).text) as object;
  expect(loaded).toMatchObject({ Id: imageId, RepoTags: [`${service}:1.0.1`] });
  // It is the only tag, so that delivering again finds nothing wrong.
  await rig.delivered(['nova', '1.0.1', '--output', 'out']);
  await askEngine(engine, 'DELETE', `/images/${service}:1.0.1`);
});
