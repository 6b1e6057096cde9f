import { expect, test } from 'vitest';
import { parseSettings, planSsh } from '../../../src/engine/ssh/plan.ts';

const target = { user: 'build', host: 'box', port: 2222 };
const plan = (settings: string, more: { mayAsk?: boolean; controlPath?: string | undefined } = {}) =>
  planSsh({ target, settings: parseSettings(settings), controlPath: '/run/s', mayAsk: false, ...more });

test('the first of two settings counts, as in ssh', () => {
  expect([...parseSettings('identityfile ~/.ssh/one\nIdentityFile ~/.ssh/two\nport 22\n')]).toEqual([
    ['identityfile', '~/.ssh/one'],
    ['port', '22'],
  ]);
});

test('a connection of our own is opened, shared and closed', () => {
  const { master, channel, exit, check } = plan('controlmaster false\ncontrolpersist no\n');
  expect([master, check]).toEqual([
    expect.arrayContaining(['ControlMaster=yes', 'ControlPath=/run/s', 'ControlPersist=15', '-f', '-N']),
    undefined,
  ]);
  expect(channel).toEqual(
    expect.arrayContaining(['ControlMaster=no', 'ControlPath=/run/s', '-l', 'build', '-p', '2222']),
  );
  expect(exit?.slice(-4)).toEqual(['-O', 'exit', '--', 'box']);
});

test.each([
  ['shared by itself', 'controlmaster auto\ncontrolpath /home/ada/.ssh/c\ncontrolpersist 600\n', true],
  [
    'only where a master is opened by hand',
    'controlmaster false\ncontrolpath /home/ada/.ssh/c\ncontrolpersist 600\n',
    false,
  ],
  ['gone with its first stream', 'controlmaster auto\ncontrolpath /home/ada/.ssh/c\ncontrolpersist no\n', false],
])("a user's connection that is %s", (_, settings, isTheirs) => {
  const { channel, exit } = plan(settings);
  expect([channel.includes('ControlPath=/run/s'), exit === undefined]).toEqual([!isTheirs, isTheirs]);
});

test('what the user has set of time limits is theirs', () => {
  const ours = ['ConnectTimeout=10', 'ServerAliveInterval=15'];
  expect(plan('connecttimeout none\nserveraliveinterval 0\n').channel).toEqual(expect.arrayContaining(ours));
  const { channel } = plan('connecttimeout 60\nserveraliveinterval 5\n');
  expect(channel.filter((word) => ours.includes(word))).toEqual([]);
});

test('a password is asked for where somebody is there, and only when the connection is opened', () => {
  const { master, channel } = plan('', { mayAsk: true });
  expect([master?.includes('BatchMode=yes'), channel.includes('BatchMode=yes')]).toEqual([false, true]);
  expect(plan('').master).toContain('BatchMode=yes');
});

test.each([
  ['our own', '', '/run/s'],
  ["the user's", 'controlmaster auto\ncontrolpath /home/ada/.ssh/c\ncontrolpersist 600\n', '/home/ada/.ssh/c'],
])(
  'a port is forwarded over %s connection, from and to the loopback address, past the configuration',
  (_, settings, socket) => {
    const { forward } = plan(settings);
    const words = ['-F', 'none', '-T', '-o', 'LogLevel=ERROR', '-o', 'BatchMode=yes', '-S', socket];
    expect(forward?.('forward', { localPort: 8080, remotePort: 32768 })).toEqual(
      words.concat('-O', 'forward', '-L', '127.0.0.1:8080:127.0.0.1:32768', '--', 'box'),
    );
  },
);

test('where ssh cannot share a connection every stream opens its own', () => {
  const { master, channel, exit, forward } = plan('', { controlPath: undefined });
  expect([master, exit, forward, channel.some((word) => word.startsWith('Control'))]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
});

test('the socket at the other end is named to its client', () => {
  const { channel } = planSsh({
    target: { host: 'box', socketPath: '/run/user/7/docker.sock' },
    settings: new Map(),
    controlPath: undefined,
    mayAsk: false,
  });
  expect(channel.at(-1)).toBe(
    "sh -c 'command -v docker >/dev/null 2>&1 && exec docker -H unix:///run/user/7/docker.sock system dial-stdio; exec podman --url unix:///run/user/7/docker.sock system dial-stdio'",
  );
});
