import { expect, it } from 'vitest';
import { SshConnection } from '../../../src/engine/ssh/connection.ts';

const countTimers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

it('leaves no timer behind where there is no ssh: gbuild ends as soon as it has said so', async () => {
  const access = {
    target: { host: 'box' },
    env: { PATH: '/nowhere' },
    mayAsk: false,
    canShare: true,
  };
  const before = countTimers();
  const connection = new SshConnection(access, (sentence) => new Error(sentence));
  await expect(connection.open()).rejects.toThrow('there is no program ssh on this machine');
  expect(countTimers()).toBe(before);
  connection.close();
});
