import { expect, test } from 'vitest';
import { findLoopbackProxies } from '../../../src/toolchain/host/loopback.ts';

test.each([
  ['http://127.0.0.1:3128', '127.0.0.1:3128', 'http://gateway:1'],
  ['localhost:8080', 'localhost:8080', 'gateway:1'],
  ['http://me:p%40w@localhost/', 'localhost:80', 'http://me:p%40w@gateway:1/'],
  ['http://me:p@w@127.1.2.3:1', '127.1.2.3:1', 'http://me:p@w@gateway:1'],
  ['socks5h://[::1]', '::1:1080', 'socks5h://gateway:1'],
  ['https://LOCALHOST', 'LOCALHOST:443', 'https://gateway:1'],
  ['http://0.0.0.0:9', '0.0.0.0:9', 'http://gateway:1'],
])('%s is at the loopback address', (value, place, moved) => {
  const [found] = findLoopbackProxies({ HTTP_PROXY: value });
  expect(found && [found.name, `${found.address}:${found.port}`, found.move('gateway:1')]).toEqual([
    'HTTP_PROXY',
    place,
    moved,
  ]);
});

test('other proxies are not, nor what is reached without one', () => {
  const others = [
    'http://proxy.test:3128',
    'http://localhost.proxy.test:1',
    'http://10.127.0.1:1',
    'http://me:@127.0.0.1@proxy.test:1',
  ];
  for (const value of others) expect(findLoopbackProxies({ HTTP_PROXY: value })).toEqual([]);
  expect(findLoopbackProxies({ NO_PROXY: 'localhost', no_proxy: '127.0.0.1' })).toEqual([]);
});
