import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openPutRig, type PutRig } from '../../support/deliver/put-rig.ts';
import { at, newKey, openS3Rig, type S3Rig } from '../../support/deliver/s3-rig.ts';
import type { FaultAction } from '../../support/network/fault-proxy.ts';
import { startForwardProxy } from '../../support/network/forward-proxy.ts';

let s3: S3Rig;
let rig: PutRig;

beforeAll(async () => {
  s3 = await openS3Rig();
}, 600_000);
beforeEach(() => {
  // The SDK reads it by itself: without a key it would look for an instance's metadata.
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  s3.proxy.reset();
  rig = openPutRig();
});
afterEach(() => {
  rig[Symbol.dispose]();
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await s3?.[Symbol.asyncDispose]();
});

describe('credentials', () => {
  let key: { id: string; secret: string };

  beforeAll(async () => {
    key = await s3.moto.makeKey('ci');
  });
  beforeEach(() => s3.moto.checkKeys(true));
  afterEach(() => s3.moto.checkKeys(false));

  /** Environment without keys. */
  const bare = () => ({ AWS_ENDPOINT_URL: `http://${s3.proxy.host}`, AWS_REGION: 'us-east-1' });
  const keys = (secret = key.secret) => ({ AWS_ACCESS_KEY_ID: key.id, AWS_SECRET_ACCESS_KEY: secret });

  test('of the variables are used, and a wrong one is said', async () => {
    await rig.put(at(newKey()), [rig.file('x', '1')], { ...bare(), ...keys() });
    const wrong = { ...bare(), ...keys('geheim-and-wrong') };
    const failed = await rig.failure(at('key'), [rig.file('x', '1')], wrong);
    expect(failed).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "cannot write s3://releases/key (http://<host>): SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method. (HTTP 403)",
        "suggestions": [
          "aws sts get-caller-identity",
          "export AWS_PROFILE=NAME",
        ],
      }
    `);
    expect(JSON.stringify([failed, rig.trace])).not.toContain('geheim');
    const unknown = { ...bare(), ...keys(), AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7UNKNOWN' };
    expect(await rig.failure(at('key'), [rig.file('x', '1')], unknown)).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "cannot write s3://releases/key (http://<host>): InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records. (HTTP 403)",
        "suggestions": [
          "aws sts get-caller-identity",
          "export AWS_PROFILE=NAME",
        ],
      }
    `);
  });

  test('of profiles are used, with their region and endpoint', async () => {
    mkdirSync(join(rig.dir, '.aws'));
    const pair = `aws_access_key_id = ${key.id}\naws_secret_access_key = ${key.secret}\n`;
    writeFileSync(
      join(rig.dir, '.aws/credentials'),
      `[default]\n${pair}\n[wrong]\naws_access_key_id=a\naws_secret_access_key=b\n`,
    );
    writeFileSync(
      join(rig.dir, '.aws/config'),
      `[default]\nregion = eu-west-1\nendpoint_url = http://${s3.proxy.host}\n
[profile process]\nservices = here\nregion=eu-central-1
credential_process = printf '{"Version":1,"AccessKeyId":"${key.id}","SecretAccessKey":"${key.secret}"}'
[profile static]\nregion=eu-north-1\nendpoint_url=http://127.0.0.1:1\n${pair}
[services here]\ns3 =\n  endpoint_url = http://${s3.proxy.host}\n`,
    );
    const put = (more: Record<string, string>) => rig.put(at(newKey()), [rig.file('x', '1')], more);
    await put({});
    expect(s3.proxy.requests[0]!.headers.authorization).toContain('/eu-west-1/s3/');
    s3.proxy.requests.length = 0;
    await put({ AWS_PROFILE: 'process' });
    expect(s3.proxy.requests[0]!.headers.authorization).toContain('/eu-central-1/s3/');
    await put({
      AWS_PROFILE: 'static',
      AWS_ENDPOINT_URL_S3: `http://${s3.proxy.host}`,
      AWS_DEFAULT_REGION: 'us-east-1',
    });
    const failure = (more: Record<string, string>) => rig.failure(at('key'), [rig.file('x', '1')], more);
    expect(await failure({ ...bare(), AWS_PROFILE: 'wrong' })).toMatchObject({ code: 'registry-denied' });
    expect(await failure({ AWS_PROFILE: 'nobody' })).toMatchInlineSnapshot(`
      {
        "code": "config-invalid",
        "message": "AWS_PROFILE names nobody, which is neither in <dir>/.aws/config nor in <dir>/.aws/credentials; there are: default, process, static, wrong",
        "suggestions": [
          "export AWS_PROFILE=default",
        ],
      }
    `);
    expect(await failure({ AWS_ENDPOINT_URL: 'ftp://me:geheim@x' })).toMatchInlineSnapshot(`
      {
        "code": "config-invalid",
        "message": "AWS_ENDPOINT_URL is not an http address without a user",
        "suggestions": [
          "export AWS_ENDPOINT_URL_S3=https://HOST[:PORT]",
        ],
      }
    `);
  });

  test('of a container are used, which the SDK finds by its own variables', async () => {
    const asked: string[] = [];
    const metadata = createServer(({ url, headers }, answer) => {
      asked.push(`${url} ${headers.authorization}`);
      answer.end(
        JSON.stringify({
          AccessKeyId: key.id,
          SecretAccessKey: key.secret,
          Token: 't',
          Expiration: '2099-01-01T00:00:00Z',
        }),
      );
    });
    await new Promise<void>((resolve) => metadata.listen(0, '127.0.0.1', resolve));
    const { port } = metadata.address() as AddressInfo;
    vi.stubEnv('AWS_CONTAINER_CREDENTIALS_FULL_URI', `http://127.0.0.1:${port}/creds`);
    vi.stubEnv('AWS_CONTAINER_AUTHORIZATION_TOKEN', 'allowed');
    try {
      await s3.moto.checkKeys(false);
      await rig.put(at(newKey()), [rig.file('x', '1')], bare());
    } finally {
      metadata.closeAllConnections();
      await new Promise((resolve) => metadata.close(resolve));
    }
    expect(asked).toEqual(['/creds allowed']);
    expect(s3.proxy.requests[0]!.headers).toMatchObject({
      authorization: expect.stringContaining(key.id),
      'x-amz-security-token': 't',
    });
  });

  test('of a web identity are used, over the same connections', async () => {
    await s3.moto.checkKeys(false);
    writeFileSync(join(rig.dir, 'token'), 'header.payload.signature');
    vi.stubEnv('AWS_ENDPOINT_URL_STS', `http://${s3.proxy.host}`);
    await rig.put(at(newKey()), [rig.file('x', '1')], {
      ...bare(),
      AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/ci',
      AWS_WEB_IDENTITY_TOKEN_FILE: join(rig.dir, 'token'),
    });
    expect(rig.trace[0]).toMatch(/^POST http:\/\/127\.0\.0\.1:\d+\/ 200 /);
    expect(s3.proxy.requests[1]!.headers['x-amz-security-token']).toBeDefined();
    expect(JSON.stringify(rig.trace)).not.toContain('signature');
  });

  test('that are missing are said at once, with what to type', async () => {
    expect(await rig.failure(at('key'), [rig.file('x', '1')], bare())).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "no AWS credentials: AWS_ACCESS_KEY_ID is not set, <dir>/.aws/config and <dir>/.aws/credentials name none for the profile default, and no container, instance or web identity gives them (Could not load credentials from any providers)",
        "suggestions": [
          "export AWS_PROFILE=NAME",
          "export AWS_ACCESS_KEY_ID=ID AWS_SECRET_ACCESS_KEY=SECRET",
          "aws configure",
        ],
      }
    `);
    expect(s3.proxy.requests).toEqual([]);
  });

  test('are not waited for where an instance has silent metadata', async () => {
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'false');
    vi.stubEnv('AWS_EC2_METADATA_SERVICE_ENDPOINT', `http://127.0.0.1:${port}`);
    try {
      const failed = await rig.failure(at('key'), [rig.file('x', '1')], bare());
      expect(failed).toMatchObject({
        code: 'registry-denied',
        message: expect.stringMatching(/^no AWS credentials: /),
      });
    } finally {
      silent.closeAllConnections();
      await new Promise((resolve) => silent.close(resolve));
    }
  });

  test('of a process that fails are said without its command', async () => {
    mkdirSync(join(rig.dir, '.aws'));
    writeFileSync(join(rig.dir, '.aws/config'), '[profile broken]\ncredential_process = sh -c "exit 3" geheim\n');
    const failed = await rig.failure(at('key'), [rig.file('x', '1')], { ...bare(), AWS_PROFILE: 'broken' });
    expect(failed).toMatchInlineSnapshot(`
      {
        "code": "registry-denied",
        "message": "no AWS credentials: the profile broken gives none: its credential_process failed",
        "suggestions": [
          "aws sts get-caller-identity --profile broken",
          "aws sso login --profile broken",
        ],
      }
    `);
  });

  test('without the right to list or read are enough for a new key, and a taken one is refused', async () => {
    const denied: FaultAction = { answer: { status: 403 } };
    s3.proxy.fault({ method: 'HEAD', action: denied });
    const name = newKey();
    const file = rig.file('x', 'content');
    expect(await rig.put(at(name), [file], { ...bare(), ...keys() })).toMatchObject([{ alreadyThere: false }]);
    expect(await rig.failure(at(name), [file], { ...bare(), ...keys() })).toMatchInlineSnapshot(`
      {
        "code": "output-refused",
        "message": "s3://releases/app/<key> exists, and you may not read it to compare; what is there is never replaced",
        "suggestions": [
          "let the caller do s3:GetObject on s3://releases/app/<key>",
          "put it under another version or key",
        ],
      }
    `);
  });
});

test('a proxy of the caller carries the requests', async () => {
  await using forward = await startForwardProxy({ 's3.test:80': s3.moto.host });
  await rig.put(at('through-proxy'), [rig.file('x', '1')], {
    ...s3.moto.env,
    AWS_ENDPOINT_URL: 'http://s3.test',
    HTTP_PROXY: forward.url,
  });
  expect(forward.passed).toEqual(
    ['HEAD', 'PUT', 'HEAD'].map((method) => `${method} http://s3.test/releases/through-proxy`),
  );
});
