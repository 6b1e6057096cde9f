import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EngineClient } from '../../../src/engine/client/client.ts';
import { connectionFailure } from '../../../src/engine/client/failures.ts';
import type { Endpoint } from '../../../src/engine/endpoint/endpoint.ts';
import { explainTls } from '../../../src/engine/endpoint/tls-failures.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { makeAuthority, readIssued } from '../../support/network/authority.ts';

const dir = mkdtempSync(join(tmpdir(), 'gbuild-tls-failures-'));
const authority = makeAuthority(dir);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const day = 86_400_000;
const client = readIssued(authority.issue('client', ['DNS:client'], { usage: 'clientAuth' }));
const endpoint = (more: Partial<Endpoint> = {}): Endpoint => ({
  ...endpointOf('tcp://192.0.2.7:2376'),
  tls: { ca: readFileSync(authority.rootFile), ...client, verify: true, directory: '/store/box' },
  machine: 'box',
  chosenAt: Date.now(),
  ...more,
});
const plain = (text: string | undefined) => text?.replaceAll(/\d{4}-\d\d-\d\d/g, 'DATE');

test('each way a connection fails is a sentence of its own with what mends it', () => {
  const codes = [
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'ERR_SSL_WRONG_VERSION_NUMBER',
    'ECONNREFUSED',
    'ETIMEDOUT',
  ];
  const told = codes.map((code) => {
    const { sentence, suggestions = [] } = explainTls(endpoint(), code, false) ?? {};
    return [`${code}: ${plain(sentence)}`, ...suggestions].join('\n  ');
  });
  expect(told.join('\n')).toMatchInlineSnapshot(`
    "CERT_HAS_EXPIRED: its certificate has expired, or one of the two clocks is wrong
      docker-machine regenerate-certs box
      docker-machine ssh box date -u; date -u
    CERT_NOT_YET_VALID: its certificate is not valid yet by this machine's clock: one of the two clocks is wrong
      docker-machine ssh box date -u; date -u
      docker-machine regenerate-certs box
    ERR_TLS_CERT_ALTNAME_INVALID: its certificate is for another address: the machine has got a new one, or another machine has this one
      docker-machine ip box
      docker-machine regenerate-certs box
    DEPTH_ZERO_SELF_SIGNED_CERT: its certificate is not signed by the authority in /store/box/ca.pem
      docker-machine regenerate-certs box
    ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: by its clock /store/box/cert.pem (valid until DATE) has expired: the two clocks differ
      docker-machine ssh box date -u; date -u
      docker-machine regenerate-certs box
    ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: it refuses /store/box/cert.pem (valid until DATE): that is of another authority, or its clock is wrong
      docker-machine regenerate-certs box
      docker-machine ssh box date -u; date -u
    ERR_SSL_WRONG_VERSION_NUMBER: what listens there does not speak TLS
      docker-machine regenerate-certs box
    ECONNREFUSED: no engine listens there: the machine or its engine is stopped
      docker-machine start box
      docker-machine ssh box sudo systemctl restart docker
    ETIMEDOUT: the machine is stopped, or has another address now
      docker-machine start box
      docker-machine ip box
      docker-machine regenerate-certs box"
  `);
});

test('a certificate of our own is looked at first: its date is known here', () => {
  const late = explainTls(endpoint({ chosenAt: Date.now() + 30 * day }), 'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', false);
  expect(plain(late?.sentence)).toBe('the certificate /store/box/cert.pem expired on DATE');
  const early = explainTls(endpoint({ chosenAt: Date.now() - 30 * day }), 'CERT_NOT_YET_VALID', false);
  expect([plain(early?.sentence), early?.suggestions[0]]).toEqual([
    "the certificate /store/box/cert.pem is valid from DATE on, and this machine's clock says DATE",
    'timedatectl set-ntp true',
  ]);
});

test('a connection that breaks is a refused certificate only before the first answer', () => {
  expect(explainTls(endpoint(), 'ECONNRESET', true)?.sentence).toContain('it refuses /store/box/cert.pem');
  expect(explainTls(endpoint(), 'ECONNRESET', false)).toBeUndefined();
});

test('a request that was given up is an engine that went away, over ssh and behind TLS as well', () => {
  const { reason } = AbortSignal.abort();
  const ssh = { target: { host: 'box' }, env: {}, mayAsk: false, canShare: true };
  const { host: _, port: __, tls: ___, ...bare } = endpoint();
  for (const each of [endpoint(), { ...bare, ssh }])
    expect(connectionFailure(each, 'load an image', reason, true)).toMatchObject({
      code: 'engine-failed',
      facts: { lost: true },
    });
});

test('without TLS or a machine there is nothing to say of certificates', () => {
  const { tls: _, machine: __, ...bare } = endpoint();
  expect([explainTls(bare, 'ECONNREFUSED', true), explainTls(bare, 'EPROTO', true)]).toEqual([undefined, undefined]);
  const { machine: ___, ...context } = endpoint();
  expect(explainTls(context, 'ECONNREFUSED', true)).toBeUndefined();
});

test("a server's certificate that has expired is told with the command that mends it", async () => {
  const server = createServer(readIssued(authority.issue('server', ['IP:127.0.0.1'], { days: -1 })));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new EngineClient(endpoint({ host: '127.0.0.1', port }), {});
  await expect(client.call({ what: 'describe itself', method: 'GET', path: '/info' })).rejects.toMatchObject({
    code: 'engine-unreachable',
    message:
      'cannot reach the container engine of the machine box at tcp://192.0.2.7:2376 (from DOCKER_HOST): its certificate has expired, or one of the two clocks is wrong (certificate has expired)',
    suggestions: ['docker-machine regenerate-certs box', 'docker-machine ssh box date -u; date -u', 'gbuild doctor'],
  });
  client.close();
  server.close();
});
