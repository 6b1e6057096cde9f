import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type NovaRig, openNova } from '../../support/deliver/nova-rig.ts';
import { type CodeDeployAgent, openAgent } from '../../support/deployers/codedeploy-agent.ts';
import { type DeployHost, startDeployHost } from '../../support/deployers/deploy-host.ts';

const greeting = `it's "5 $HOME" \\ \n ü`;
let nova: NovaRig;
let host: DeployHost;
let agent: CodeDeployAgent;
const imageIds: Record<string, string> = {};
const bundles: Record<string, string> = {};

beforeAll(async () => {
  nova = await openNova('nova-agent');
  nova.describe({ GREETING: greeting });
  for (const version of ['1.0.1', '1.0.2', '1.0.3']) imageIds[version] = (await nova.rig.release(version)).imageId;
  for (const version of ['1.0.1', '1.0.2']) bundles[version] = (await nova.bundle(version)).file;
  nova.describe({ SICK: '1' });
  bundles['1.0.3'] = (await nova.bundle('1.0.3')).file;
  host = await startDeployHost(inject('engineHost'), { environment: 'production' });
  agent = openAgent(host);
});
afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  await nova?.[Symbol.asyncDispose]();
});

const runningImage = () => host.must(`docker inspect --format '{{.Image}}' "$1"`, nova.service);
const answer = async () => JSON.parse(await host.must('curl --silent --fail http://localhost:8080/')) as unknown;

test('each deployment of the bundle runs the released image, and a sick one fails and is rolled back', async () => {
  const deployed = await agent.deploy(bundles['1.0.1']!);
  expect(deployed.message).toBeUndefined();
  expect(deployed.events.map(({ name, scripts }) => [name, ...scripts.map(({ location }) => location)])).toEqual([
    ['DownloadBundle'],
    ['BeforeInstall', 'deregister_from_elb.sh', 'kill_docker_container.sh'],
    ['Install'],
    ['AfterInstall', 'load_docker_container.sh'],
    ['ApplicationStart', 'start_docker_container.sh', 'register_with_elb.sh'],
    ['ValidateService', 'validate_service.sh'],
  ]);
  expect(await runningImage()).toBe(imageIds['1.0.1']);
  expect(await answer()).toEqual({ version: '1.0.1', greeting, args: ['--mode=a b'] });
  // The group keeps what it needs: the instance was on standby, is back, and the least size is as before.
  expect(await host.must('grep -E "standby|update" /var/lib/fake-aws/calls; cat /var/lib/fake-aws/least')).toBe(
    [
      'autoscaling update-auto-scaling-group --auto-scaling-group-name fleet --min-size 1',
      'autoscaling enter-standby --instance-ids i-0123456789abcdef0 --auto-scaling-group-name fleet --should-decrement-desired-capacity',
      'autoscaling exit-standby --instance-ids i-0123456789abcdef0 --auto-scaling-group-name fleet',
      'autoscaling update-auto-scaling-group --auto-scaling-group-name fleet --min-size 2',
      '2',
    ].join('\n'),
  );

  const again = await agent.deploy(bundles['1.0.1']!);
  expect([again.status, again.message, await runningImage()]).toEqual(['Succeeded', undefined, imageIds['1.0.1']]);

  const next = await agent.deploy(bundles['1.0.2']!);
  expect([next.status, next.message, await runningImage()]).toEqual(['Succeeded', undefined, imageIds['1.0.2']]);

  const sick = await agent.deploy(bundles['1.0.3']!);
  expect([sick.status, await runningImage()]).toEqual(['Failed', imageIds['1.0.3']]);
  expect(sick.events.at(-1)?.scripts.at(-1)?.output).toContain('HEAD http://localhost:8080/health: 500 (20 of 20)');
  expect(sick.message).toContain(`${nova.service}:1.0.3 did not become healthy`);

  const rolledBack = await agent.deploy(bundles['1.0.2']!);
  expect([rolledBack.status, rolledBack.message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.2']);
  expect(await answer()).toMatchObject({ version: '1.0.2', greeting });
});

test('a tag that is another image and another container on the port are replaced; a foreign file stops it', async () => {
  await host.must(
    `docker tag "$1:1.0.2" "$1:1.0.1"; docker rm --force "$1"; docker run --detach --name other --publish 8080:8080 "$1:1.0.2"`,
    nova.service,
  );
  const { status, message } = await agent.deploy(bundles['1.0.1']!);
  expect([status, message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.1']);
  expect(await host.must('docker ps --all --format "{{.Names}}"')).toBe(nova.service);

  await host.must('touch "/tmp/$1-1.0.2-docker-image.tar.gz"', nova.service);
  expect((await agent.deploy(bundles['1.0.2']!)).message).toBe(
    `Install: a file already exists at this location: /tmp/${nova.service}-1.0.2-docker-image.tar.gz`,
  );
});
