import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { openPutRig, type PutRig } from '../../support/deliver/put-rig.ts';
import { at, newKey, nextNumber, openS3Rig, type S3Rig } from '../../support/deliver/s3-rig.ts';
import type { FaultAction } from '../../support/network/fault-proxy.ts';
import { makeBytes } from '../../support/registry/registry-rig.ts';

let s3: S3Rig;
let rig: PutRig;
let env: Record<string, string>;

beforeAll(async () => {
  s3 = await openS3Rig();
}, 600_000);
beforeEach(() => {
  // The SDK reads it by itself: without a key it would look for an instance's metadata.
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  s3.proxy.reset();
  env = s3.env;
  rig = openPutRig();
});
afterEach(() => {
  rig[Symbol.dispose]();
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await s3?.[Symbol.asyncDispose]();
});

describe('a file', () => {
  test('is put under a key, looked at, and not put again', async () => {
    const key = newKey();
    const file = rig.file('x', 'content');
    const put = { url: at(key), size: 7, sha256: file.sha256, alreadyThere: false };
    expect(await rig.put(at(key), [file], env)).toEqual([put]);
    expect(await s3.read(key)).toEqual(Buffer.from('content'));
    expect(s3.methods()).toBe('HEAD PUT HEAD');
    expect(s3.proxy.requests[1]!.headers).toMatchObject({
      'if-none-match': '*',
      'x-amz-checksum-sha256': Buffer.from(file.sha256, 'hex').toString('base64'),
      'x-amz-meta-gbuild-sha256': file.sha256,
    });
    s3.proxy.requests.length = 0;
    expect(await rig.put(at(key), [file], env)).toEqual([{ ...put, alreadyThere: true }]);
    expect(s3.methods()).toBe('HEAD');
  });

  test.each(['', "a b/ä+%41&=?#!'()*;@", 'x'.repeat(200)])('is put below the folder %j', async (folder) => {
    const prefix = `folder-${nextNumber()}/${folder}${folder === '' ? '' : '/'}`;
    const files = [rig.file('a.txt', 'one'), rig.file('sub/b', ''), rig.file('ünïcode ~', 'three')];
    const put = await rig.put(at(prefix), files, env);
    expect(put.map(({ url }) => url)).toEqual(['a.txt', 'sub/b', 'ünïcode ~'].map((path) => at(`${prefix}${path}`)));
    expect(await rig.put(at(prefix), files, env)).toMatchObject(files.map(() => ({ alreadyThere: true })));
  });

  test('with other bytes is refused, and none of the files is written', async () => {
    const prefix = `other-${nextNumber()}/`;
    await s3.write(`${prefix}b`, Buffer.from('other'));
    const files = [rig.file('a', 'x'), rig.file('b', 'mine')];
    expect(await rig.failure(at(prefix), files, env)).toMatchInlineSnapshot(`
      {
        "code": "output-refused",
        "message": "s3://releases/other-5/b has other bytes, and what is there is never replaced
        there: sha256 <sha256>, 5 bytes
        here:  sha256 <sha256>, 4 bytes",
        "suggestions": [
          "aws s3 cp s3://releases/other-5/b - | sha256sum",
          "put it under another version or key",
        ],
      }
    `);
    expect(await s3.read(`${prefix}a`)).toBeUndefined();
    await rig.put(at(`${prefix}c`), [rig.file('c', 'theirs')], env);
    expect(await rig.failure(at(`${prefix}c`), [rig.file('c', 'ours')], env)).toMatchInlineSnapshot(`
      {
        "code": "output-refused",
        "message": "s3://releases/other-5/c has other bytes, and what is there is never replaced
        there: sha256 <sha256>, 6 bytes
        here:  sha256 <sha256>, 4 bytes",
        "suggestions": [
          "aws s3 cp s3://releases/other-5/c - | sha256sum",
          "put it under another version or key",
        ],
      }
    `);
  });

  test('that another tool put is compared by its MD5, or its bytes', async () => {
    const key = newKey();
    await s3.write(key, Buffer.from('content'));
    expect(await rig.put(at(key), [rig.file('x', 'content')], env)).toMatchObject([{ alreadyThere: true }]);
    expect(s3.methods()).toBe('HEAD HEAD');
    s3.proxy.reset();
    s3.proxy.fault({ method: 'HEAD', action: { withHeaders: { etag: '"not-md5-2"' } } });
    expect(await rig.put(at(key), [rig.file('x', 'content')], env)).toMatchObject([{ alreadyThere: true }]);
    expect(s3.methods()).toBe('HEAD HEAD GET');
    expect(await rig.failure(at(key), [rig.file('x', 'c0ntent')], env)).toMatchObject({ code: 'output-refused' });
  });
});

describe('two at once', () => {
  test('with other bytes: one wins, and the other is told', async () => {
    const key = newKey();
    const ended = await Promise.allSettled(
      ['one', 'two', 'six'].map((content) => rig.put(at(key), [rig.file('x', content)], env)),
    );
    expect(ended.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = ended.flatMap((each) => (each.status === 'rejected' ? [each.reason.code] : []));
    expect(reasons).toEqual(['output-refused', 'output-refused']);
  });

  test('where the other one writes between look and write', async () => {
    const key = newKey();
    await s3.write(key, Buffer.from('theirs'));
    // The first look is before the other's write.
    s3.proxy.fault({ method: 'HEAD', times: 1, action: { answer: { status: 404 } } });
    expect(await rig.failure(at(key), [rig.file('x', 'mine')], env)).toMatchObject({ code: 'output-refused' });
    expect(await s3.read(key)).toEqual(Buffer.from('theirs'));
  });

  test('on a server without conditional writes: the file is written, and looked at', async () => {
    const key = newKey();
    const notImplemented = { status: 501, body: '<Error><Code>NotImplemented</Code></Error>' };
    s3.proxy.fault({ method: 'PUT', times: 1, action: { answer: notImplemented } });
    await rig.put(at(key), [rig.file('x', 'mine')], env);
    expect(s3.methods()).toBe('HEAD PUT PUT HEAD');
    expect(s3.proxy.requests[2]!.headers['if-none-match']).toBeUndefined();
    expect(await s3.read(key)).toEqual(Buffer.from('mine'));
  });

  test('on a server that ignores conditions: the one that is written over is told', async () => {
    const key = newKey();
    await s3.write(key, Buffer.from('theirs'));
    s3.proxy.fault({ method: 'HEAD', times: 1, action: { answer: { status: 404 } } });
    s3.proxy.fault({ method: 'PUT', action: { answer: { status: 200, headers: { etag: '"x"' } } } });
    expect(await rig.failure(at(key), [rig.file('x', 'mine')], env)).toMatchObject({ code: 'output-refused' });
  });
});

describe('a large file', () => {
  const bytes = makeBytes(20_000_000);

  test('goes in parts, with one condition at their end', async () => {
    const key = newKey();
    const file = rig.file('x', bytes);
    await rig.put(at(key), [file], env);
    expect(s3.methods()).toBe('HEAD POST PUT PUT PUT POST HEAD');
    expect(s3.proxy.requests[5]!.headers['if-none-match']).toBe('*');
    expect((await s3.read(key))?.equals(bytes)).toBe(true);
    expect(await rig.put(at(key), [file], env)).toMatchObject([{ alreadyThere: true }]);
  });

  test.each<[string, FaultAction]>([
    ['PUT', { cutUpload: 2_000_000 }],
    ['PUT', { answer: { status: 503 } }],
    ['PUT', { drop: 'after' }],
    ['POST', { drop: 'before' }],
    ['HEAD', { drop: 'after' }],
  ])('goes on after %s with %j', async (method, action) => {
    const key = newKey();
    s3.proxy.fault({ method, times: 1, action });
    await rig.put(at(key), [rig.file('x', bytes)], env);
    expect((await s3.read(key))?.equals(bytes)).toBe(true);
  });

  test('leaves neither object nor parts where the server dies', async () => {
    const key = newKey();
    s3.proxy.fault({ path: /partNumber=2/, action: { cutUpload: 1_000_000 } });
    expect(await rig.failure(at(key), [rig.file('x', bytes)], env)).toMatchInlineSnapshot(`
      {
        "code": "network-failed",
        "message": "cannot write s3://releases/app/<key> (http://<host>): the connection broke",
        "suggestions": [
          "curl -v http://<host>",
          "run the same command again",
        ],
      }
    `);
    expect(await s3.read(key)).toBeUndefined();
    expect(await s3.uploads()).toEqual([]);
  });

  test('leaves neither object nor parts where it is stopped, or changed meanwhile', async () => {
    const key = newKey();
    s3.proxy.fault({ path: /partNumber=3/, action: { stallUpload: 100_000 } });
    const running = rig.put(at(key), [rig.file('x', bytes)], env);
    await vi.waitUntil(() => s3.proxy.requests.some(({ path }) => path.includes('partNumber=3')), { timeout: 60_000 });
    rig.stop(new Error('stopped by the caller'));
    await expect(running).rejects.toThrow('stopped by the caller');
    expect(await s3.uploads()).toEqual([]);
    using other = openPutRig();
    const changed = other.file('x', bytes);
    writeFileSync(changed.hostFile, makeBytes(20_000_000, 'other'));
    expect(await other.failure(at(key), [changed], env)).toMatchObject({ code: 'workspace-changed' });
    expect(await s3.read(key)).toBeUndefined();
    expect(await s3.uploads()).toEqual([]);
  });

  test('that another one put meanwhile wins', async () => {
    const key = newKey();
    await s3.write(key, Buffer.from('theirs'));
    s3.proxy.fault({ method: 'HEAD', times: 1, action: { answer: { status: 404 } } });
    expect(await rig.failure(at(key), [rig.file('x', bytes)], env)).toMatchObject({ code: 'output-refused' });
    expect(await s3.uploads()).toEqual([]);
  });
});

test('a missing bucket, and a server that does not answer, are said', async () => {
  expect(await rig.failure('s3://nowhere/key', [rig.file('x', '1')], env)).toMatchInlineSnapshot(`
    {
      "code": "network-failed",
      "message": "cannot write s3://nowhere/key (http://<host>): NoSuchBucket: The specified bucket does not exist (HTTP 404)",
      "suggestions": [
        "aws s3 mb s3://nowhere --region us-east-1",
        "aws s3 ls",
      ],
    }
  `);
  const gone = { ...env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  expect(await rig.failure('s3://releases/key', [rig.file('x', '1')], gone)).toMatchInlineSnapshot(`
    {
      "code": "network-failed",
      "message": "cannot read s3://releases/key (http://<host>): nothing listens there (connection refused)",
      "suggestions": [
        "curl -v http://<host>",
        "run the same command again",
      ],
    }
  `);
  expect(rig.trace.join('\n')).toMatch(/^HEAD http:\/\/127\.0\.0\.1:\d+\/nowhere\/key 404 \d+ ms\n/);
});
