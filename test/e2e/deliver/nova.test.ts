import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { novaText } from '../../deliver/targets/nova/nova-yml.ts';
import { type CodeDeployAgent, openAgent } from '../../support/deliver/codedeploy-agent.ts';
import { type DeliveryRig, openDelivery } from '../../support/deliver/delivery-rig.ts';
import { type DeployHost, startDeployHost } from '../../support/deliver/deploy-host.ts';
import { type Moto, startMoto } from '../../support/deliver/moto.ts';
import { askCodeDeploy, prepareAccount, runNova } from '../../support/deliver/nova.ts';

const greeting = `it's "5 $HOME" \\ \u00fc`;
let rig: DeliveryRig;
let host: DeployHost;
let moto: Moto;
let agent: CodeDeployAgent;
let service: string;
const imageIds: Record<string, string> = {};

beforeAll(async () => {
  rig = await openDelivery({ word: 'nova' });
  service = rig.name.replace('acme/', '');
  rig.describe('  targets:\n    nova: { kind: nova, options: { attempts: 20, interval: 1 } }\n');
  describeNova({ GREETING: greeting });
  for (const version of ['1.0.1', '1.0.2', '1.0.3']) imageIds[version] = (await rig.release(version)).imageId;
  moto = await startMoto();
  await prepareAccount(moto, { bucket: 'deployments', application: 'hello', groups: ['production'] });
  host = await startDeployHost(inject('engineHost'), { environment: 'production' });
  agent = openAgent(host);
});
afterAll(async () => {
  await host?.[Symbol.asyncDispose]();
  await moto?.[Symbol.asyncDispose]();
  await rig?.[Symbol.asyncDispose]();
});

function describeNova(variables: Record<string, string>) {
  const lines = Object.entries(variables).map(([key, value]) => `        - ${key}: ${JSON.stringify(value)}\n`);
  const settings = `      deployment_variables:\n${lines.join('')}      deployment_arguments:\n        - --mode: a b\n`;
  writeFileSync(join(rig.rootDir, 'nova.yml'), novaText({ serviceName: service, settings }));
}

/** Delivers, puts the bundle into the bucket, and has Nova deploy it. Returns the revision that CodeDeploy was given. */
async function deployByNova(version: string): Promise<string> {
  const dir = join(rig.cli.dir, 'delivered', version);
  const { files } = await rig.delivered(['nova', version, '--output', dir]);
  expect(files.map(({ path }) => path)).toEqual([`${service}/${version}.tar.gz`]);
  const key = files[0]!.path;
  const credential = 'AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request';
  const headers = { Authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=0` };
  const url = `${moto.url}/deployments/${key}`;
  expect((await fetch(url, { method: 'PUT', headers, body: readFileSync(join(dir, key)) })).status).toBe(200);
  const call = { moto, cwd: rig.rootDir, homeDir: join(rig.cli.dir, 'nova-home') };
  const { exitCode, output } = await runNova(['deploy', 'main', 'prod', version], call);
  expect(exitCode, output).toBe(0);
  expect(output).toContain('Existing revision found, deploying...');
  const found = (await askCodeDeploy(moto, 'ListDeployments', {
    applicationName: 'hello',
    deploymentGroupName: 'production',
  })) as { deployments: string[] };
  const { deploymentInfo } = (await askCodeDeploy(moto, 'GetDeployment', {
    deploymentId: found.deployments.at(-1),
  })) as { deploymentInfo: { revision: { s3Location: { bucket: string; key: string } } } };
  const { bucket, key: deployed } = deploymentInfo.revision.s3Location;
  const bytes = Buffer.from(await (await fetch(`${moto.url}/${bucket}/${deployed}`, { headers })).arrayBuffer());
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(files[0]!.sha256);
  const revision = join(rig.cli.dir, 'revisions', `${version}.tar.gz`);
  mkdirSync(join(rig.cli.dir, 'revisions'), { recursive: true });
  writeFileSync(revision, bytes);
  return revision;
}

const runningImage = () => host.must(`docker inspect --format '{{.Image}}' "$1"`, service);
const answer = async () => JSON.parse(await host.must('curl --silent --fail http://localhost:8080/')) as unknown;

test('Nova deploys the bundle that it finds, and each deployment of CodeDeploy runs the released image', async () => {
  const first = await deployByNova('1.0.1');
  const deployed = await agent.deploy(first);
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
  // The group kept what it needs: the instance left it on standby, came back, and the least size is as before.
  expect(await host.must('grep -E "standby|update" /var/lib/fake-aws/calls; cat /var/lib/fake-aws/least')).toBe(
    [
      'autoscaling update-auto-scaling-group --auto-scaling-group-name fleet --min-size 1',
      'autoscaling enter-standby --instance-ids i-0123456789abcdef0 --auto-scaling-group-name fleet --should-decrement-desired-capacity',
      'autoscaling exit-standby --instance-ids i-0123456789abcdef0 --auto-scaling-group-name fleet',
      'autoscaling update-auto-scaling-group --auto-scaling-group-name fleet --min-size 2',
      '2',
    ].join('\n'),
  );

  const again = await agent.deploy(first);
  expect([again.status, again.message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.1']);

  const second = await deployByNova('1.0.2');
  const next = await agent.deploy(second);
  expect([next.status, next.message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.2']);

  describeNova({ SICK: '1' });
  const sick = await agent.deploy(await deployByNova('1.0.3'));
  expect(sick.status).toBe('Failed');
  expect(sick.events.at(-1)?.scripts.at(-1)?.output).toContain('HEAD http://localhost:8080/health: 500 (20 of 20)');
  expect(sick.message).toContain(`${service}:1.0.3 did not become healthy`);

  const rolledBack = await agent.deploy(second);
  expect([rolledBack.status, rolledBack.message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.2']);
  expect(await answer()).toMatchObject({ version: '1.0.2', greeting });
});

test('a tag that is another image, a container that has the port, and a foreign archive cannot deceive', async () => {
  const revision = join(rig.cli.dir, 'revisions/1.0.1.tar.gz');
  await host.must(
    `docker tag "$1:1.0.2" "$1:1.0.1"; docker rm --force "$1"; docker run --detach --name other --publish 8080:8080 "$1:1.0.2"`,
    service,
  );
  const { status, message } = await agent.deploy(revision);
  expect([status, message]).toEqual(['Succeeded', undefined]);
  expect(await runningImage()).toBe(imageIds['1.0.1']);
  expect(await host.must('docker ps --all --format "{{.Names}}"')).toBe(service);

  await host.must('touch "/tmp/$1-1.0.2-docker-image.tar.gz"', service);
  expect((await agent.deploy(join(rig.cli.dir, 'revisions/1.0.2.tar.gz'))).message).toBe(
    `Install: a file already exists at this location: /tmp/${service}-1.0.2-docker-image.tar.gz`,
  );
});
