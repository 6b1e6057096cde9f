import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { openDelivery } from '../../support/deliver/delivery-rig.ts';
import { openAgent } from '../../support/deployers/codedeploy-agent.ts';
import { startDeployHost } from '../../support/deployers/deploy-host.ts';

const greeting = `it's "5 $HOME" \\ \n ü`;
const lines = (variables: object) => `  service:
    name: hello
    health: /health
    memory: 256m
    cpu: 0.5
    args: [--mode, "a 'b'"]
    volumes: [{ from: hello-data, to: /data }]
    env: ${JSON.stringify(variables)}
  targets:
    fleet: { kind: codedeploy, options: { publish: 80, attempts: 10, interval: 1 } }
`;

test('each deployment of the zip runs the released image, and a sick one fails and is rolled back', async () => {
  await using rig = await openDelivery({ word: 'codedeploy' });
  rig.describe(lines({ GREETING: greeting }));
  await using host = await startDeployHost(inject('engineHost'), { environment: 'production' });
  await host.relay(rig.registry.port);
  const agent = openAgent(host);
  const imageIds: Record<string, string> = {};
  const zips: Record<string, string> = {};
  for (const version of ['1.0.1', '1.0.2', '1.0.3']) {
    imageIds[version] = (await rig.release(version)).imageId;
    if (version === '1.0.3') rig.describe(lines({ SICK: '1' }));
    const { dir, files } = await rig.delivered(['fleet', version, '--output', join(rig.cli.dir, 'zips')]);
    zips[version] = join(dir!, files[0]!.path);
  }
  const deploy = async (version: string) => {
    const { status, message } = await agent.deploy(zips[version]!);
    return [status, message, await host.must(`docker inspect --format '{{.Image}}' hello`)];
  };
  const answer = async () => JSON.parse(await host.must('curl --silent --fail http://localhost/')) as unknown;

  expect(await deploy('1.0.1')).toEqual(['Succeeded', undefined, imageIds['1.0.1']]);
  expect(await answer()).toEqual({ version: '1.0.1', greeting, args: ['--mode', "a 'b'"] });
  const read = `docker inspect --format '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.Binds}}' hello`;
  expect(await host.must(read)).toBe('268435456 500000000 [hello-data:/data]');
  expect(await deploy('1.0.1')).toEqual(['Succeeded', undefined, imageIds['1.0.1']]);
  expect(await deploy('1.0.2')).toEqual(['Succeeded', undefined, imageIds['1.0.2']]);
  expect(await deploy('1.0.3')).toEqual([
    'Failed',
    expect.stringContaining('did not become healthy'),
    imageIds['1.0.3'],
  ]);
  expect(await deploy('1.0.2')).toEqual(['Succeeded', undefined, imageIds['1.0.2']]);

  // What cannot be pulled stops nothing: the version before runs on.
  await rig.registry[Symbol.asyncDispose]();
  await host.must(`docker rmi "$(docker inspect --format '{{index .RepoDigests 0}}' "$1")"`, imageIds['1.0.1']!);
  expect(await deploy('1.0.1')).toEqual([
    'Failed',
    expect.stringMatching(/^BeforeInstall: pull.sh/),
    imageIds['1.0.2'],
  ]);
});
