import { expect, test } from 'vitest';
import { describeContainer } from '../../../../src/actions/run/container/describe-container.ts';
import { bareContainer } from '../../../../src/engine/engine.ts';

test('what a container gets is told without the values of its variables', () => {
  const lines = describeContainer({
    ...bareContainer('gbuild/node:24', ['true']),
    user: '1000:1000',
    workdir: '/workspace',
    network: 'bridge',
    env: { TOKEN: 'hush', HOME: '/home/gbuild' },
    mounts: [
      { type: 'bind', hostDir: '/home/ada/shop', containerDir: '/workspace', readOnly: false },
      { type: 'volume', name: 'gbuild-cache-npm-1000', containerDir: '/cache/npm', labels: {}, copy: true },
      { type: 'tmpfs', containerDir: '/run/secrets', size: 1 },
    ],
    limits: { memory: 512 << 20, pids: 4096 },
  });
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "image      gbuild/node:24
    as         1000:1000 in /workspace on network bridge
    mount      /home/ada/shop -> /workspace
    mount      volume gbuild-cache-npm-1000 -> /cache/npm
    mount      memory -> /run/secrets
    variables  HOME TOKEN
    limits     537 MB of memory, 4096 processes"
  `);
});
