import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../../src/registry/auth/challenge.ts';
import { addressOf, pathAt } from '../../../src/registry/http/address.ts';
import { networkFailure } from '../../../src/registry/http/failures.ts';
import { chooseProxy, proxyHeaders } from '../../../src/registry/http/proxy.ts';
import { formatUrl, Redactor } from '../../../src/registry/http/redact.ts';
import { readRegistryError } from '../../../src/registry/http/refusals.ts';
import { parseRetryAfter, TransientError } from '../../../src/registry/http/retry.ts';
import { errorOf } from '../../support/assert/error-of.ts';

describe('addresses', () => {
  test('the Hub has a name, an API and an entry in the docker config, each another', () => {
    expect(addressOf('index.docker.io')).toEqual({
      name: 'docker.io',
      host: 'registry-1.docker.io',
      credentialKey: 'https://index.docker.io/v1/',
      isHub: true,
      isLoopback: false,
    });
    expect(pathAt(addressOf('docker.io'), 'node')).toBe('library/node');
    expect(pathAt(addressOf('docker.io'), 'acme/node')).toBe('acme/node');
    expect(pathAt(addressOf('r.test'), 'node')).toBe('node');
  });

  test.each([
    ['localhost', true],
    ['localhost:5000', true],
    ['127.0.0.1:5000', true],
    ['127.1.2.3', true],
    ['[::1]:5000', true],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com:5000', false],
    ['128.0.0.1', false],
    ['[::2]:5000', false],
    ['r.test', false],
  ])('%s is on this machine: %s', (registry, expected) => {
    expect(addressOf(registry).isLoopback).toBe(expected);
  });
});

test.each([
  ['Basic realm="my registry"', [{ scheme: 'basic', parameters: { realm: 'my registry' } }]],
  [
    'Bearer realm="https://auth.test/token",service="r.test",scope="repository:a/b:pull,push",error="invalid_token"',
    [
      {
        scheme: 'bearer',
        parameters: {
          realm: 'https://auth.test/token',
          service: 'r.test',
          scope: 'repository:a/b:pull,push',
          error: 'invalid_token',
        },
      },
    ],
  ],
  [
    'Negotiate, BEARER Realm = "a\\"b" , service=plain, Basic realm=x',
    [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'bearer', parameters: { realm: 'a"b', service: 'plain' } },
      { scheme: 'basic', parameters: { realm: 'x' } },
    ],
  ],
  ['', []],
  ['"nonsense', []],
])('the challenge %j is understood', (header, expected) => {
  expect(parseChallenges(header)).toEqual(expected);
});

describe('proxies', () => {
  const env = { HTTPS_PROXY: 'http://proxy.test:3128', http_proxy: 'plain.test:80' };

  test.each([
    ['https://r.test/', {}, 'http://proxy.test:3128'],
    ['http://r.test/', {}, 'http://plain.test'],
    ['https://r.test/', { https_proxy: 'https://other.test' }, 'https://other.test'],
    ['https://127.0.0.1:5000/', {}, undefined],
    ['https://localhost/', {}, undefined],
    ['https://[::1]:5000/', {}, undefined],
    ['https://r.test/', { NO_PROXY: '*' }, undefined],
    ['https://r.test/', { no_proxy: 'a.test, r.test' }, undefined],
    ['https://in.r.test/', { NO_PROXY: 'r.test' }, undefined],
    ['https://in.r.test/', { NO_PROXY: '.r.test' }, undefined],
    ['https://in.r.test/', { NO_PROXY: '*.r.test' }, undefined],
    ['https://r.test/', { NO_PROXY: '.r.test' }, 'http://proxy.test:3128'],
    ['https://bar.test/', { NO_PROXY: 'r.test' }, 'http://proxy.test:3128'],
    ['https://r.test:5000/', { NO_PROXY: 'r.test:5000' }, undefined],
    ['https://r.test/', { NO_PROXY: 'r.test:443' }, undefined],
    ['https://r.test/', { NO_PROXY: 'r.test:5000' }, 'http://proxy.test:3128'],
    ['https://10.1.2.3/', { NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3/', { NO_PROXY: '10.0.0.0/8' }, 'http://proxy.test:3128'],
  ])('%s with %j goes through %s', (url, more, expected) => {
    expect(chooseProxy(new URL(url), { ...env, ...more })?.origin).toBe(expected);
  });

  test('without a variable there is none, and ALL_PROXY is for both', () => {
    expect(chooseProxy(new URL('https://r.test'), {})).toBeUndefined();
    expect(chooseProxy(new URL('http://r.test'), { ALL_PROXY: 'http://all.test' })?.host).toBe('all.test');
  });

  test("the proxy's user and password are its own header", () => {
    const headers = proxyHeaders(new URL('http://me:p%40ss@proxy.test'));
    expect(headers).toEqual({ 'Proxy-Authorization': `Basic ${Buffer.from('me:p@ss').toString('base64')}` });
    expect(proxyHeaders(new URL('http://proxy.test'))).toEqual({});
  });
});

test('what is printed holds no secret, and of an address only what is none', () => {
  const redactor = new Redactor();
  redactor.add('p@ss word');
  redactor.add('');
  expect(redactor.mask('a p@ss word, and p%40ss%20word')).toBe('a ***, and ***');
  const url = new URL('https://me:pass@r.test/v2/a/blobs/uploads/1?_state=abc&digest=sha256:1&X-Signature=xyz');
  expect(formatUrl(url)).toBe('https://r.test/v2/a/blobs/uploads/1?digest=sha256:1');
});

test.each([
  [{ 'retry-after': '3' }, 3000],
  [{ 'retry-after': 'Tue, 24 Nov 2026 10:00:05 GMT', date: 'Tue, 24 Nov 2026 10:00:00 GMT' }, 5000],
  [{ 'retry-after': 'Tue, 24 Nov 2026 10:00:00 GMT', date: 'Tue, 24 Nov 2026 10:00:05 GMT' }, 0],
  [{ 'retry-after': 'Tue, 24 Nov 2026 10:00:05 GMT' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{}, undefined],
])('Retry-After in %j is %s milliseconds', (headers, expected) => {
  expect(parseRetryAfter(headers)).toBe(expected);
});

test.each([
  ['{"errors":[{"code":"DENIED","message":"no"},{"code":"UNKNOWN"}]}', 'no (DENIED); UNKNOWN'],
  ['{"errors":[null,{"message":"a\\u001b[2Jb\\nc"}]}', 'a [2Jb c'],
  ['{"errors":{}}', undefined],
  ['<html>', undefined],
])("the registry's own words in %j are %j", (text, expected) => {
  expect(readRegistryError(text)).toBe(expected);
});

describe('a request that got no answer', () => {
  const explain = (code: string, message = 'said Node') => {
    const failure = networkFailure({ registry: 'r.test', what: 'work' }, Object.assign(new Error(message), { code }));
    return errorOf(() => {
      throw failure instanceof TransientError ? failure.explain(5) : failure;
    });
  };

  test('is told by what happened, each in a sentence', async () => {
    expect(await explain('ENOTFOUND')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry r.test cannot be found: its name is not known (DNS)",
        "suggestions": [
          "getent hosts r.test",
        ],
      }
    `);
    expect(await explain('ECONNREFUSED')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry r.test cannot be reached: nothing listens there (connection refused)",
        "suggestions": [
          "curl -v https://r.test/v2/",
        ],
      }
    `);
    expect(await explain('SELF_SIGNED_CERT_IN_CHAIN')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the certificate of the registry r.test is signed by nobody this machine trusts (SELF_SIGNED_CERT_IN_CHAIN)",
        "suggestions": [
          "put the root that signed it into ~/.config/docker/certs.d/r.test/ca.crt, or name it in NODE_EXTRA_CA_CERTS",
        ],
      }
    `);
    expect(await explain('CERT_NOT_YET_VALID')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the certificate of the registry r.test is not valid yet by this machine's clock",
        "suggestions": [
          "date   # is it right?",
          "curl -v https://r.test/v2/",
        ],
      }
    `);
    expect(await explain('EPROTO')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry r.test does not speak TLS",
        "suggestions": [
          "if it may be asked without: registries: { "r.test": { insecure: true } } in gbuild's config.yml",
        ],
      }
    `);
    expect(await explain('EHOSTUNREACH', 'connect EHOSTUNREACH')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry r.test cannot be reached: connect EHOSTUNREACH",
        "suggestions": [
          "curl -v https://r.test/v2/",
        ],
      }
    `);
    expect(await explain('ECONNRESET', 'socket hang up')).toMatchInlineSnapshot(`
      {
        "code": "registry-failed",
        "message": "the registry r.test went away while asked to work: the connection broke (5 times in a row)",
        "suggestions": [
          "curl -v https://r.test/v2/",
          "try again when the network is back",
        ],
      }
    `);
  });

  test.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'HPE_INVALID_CONSTANT'])('%s may pass', (code) => {
    const failure = networkFailure({ registry: 'r', what: 'w' }, Object.assign(new Error(), { code }));
    expect(failure).toBeInstanceOf(TransientError);
  });
});
