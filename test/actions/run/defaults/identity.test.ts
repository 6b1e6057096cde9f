import { describe, expect, it } from 'vitest';
import { capabilitiesOf, chooseIdentity, planUserTables } from '../../../../src/actions/run/defaults/identity.ts';
import type { EngineInfo } from '../../../../src/engine/info.ts';
import type { Host } from '../../../../src/host.ts';

const caller = { uid: 1000, gid: 1001, userName: 'ann' } as Host;
const engine = { rootless: false, usernsRemap: false } as EngineInfo;
const image = {
  passwd: 'root:x:0:0:root:/root:/bin/bash\nnode:x:1000:1000::/home/node:/bin/sh\n',
  group: 'root:x:0:\n',
};

describe('chooseIdentity', () => {
  it('runs as the caller on an ordinary engine', () => {
    expect(chooseIdentity(caller, engine)).toEqual({ uid: 1000, gid: 1001, userName: 'ann' });
  });

  it("runs as the container's root on a rootless engine, which maps it to the caller", () => {
    expect(chooseIdentity(caller, { ...engine, rootless: true })).toEqual({ uid: 0, gid: 0, userName: 'root' });
  });

  it('asks an engine that remaps users not to', () => {
    expect(chooseIdentity(caller, { ...engine, usernsRemap: true })).toMatchObject({ uid: 1000, usernsMode: 'host' });
  });
});

it('gives capabilities to root alone', () => {
  expect(capabilitiesOf({ uid: 1000, gid: 1000, userName: 'ann' })).toEqual([]);
  expect(capabilitiesOf({ uid: 0, gid: 0, userName: 'root' })).toContain('CHOWN');
  expect(capabilitiesOf({ uid: 0, gid: 0, userName: 'root' })).not.toContain('SYS_ADMIN');
});

describe('planUserTables', () => {
  const textOf = (path: string, identity = chooseIdentity(caller, engine)) =>
    planUserTables(identity, image)
      .find((file) => file.path === path)
      ?.content.toString();

  it("replaces the image's entry for the caller's uid, so that there is one home for all tools", () => {
    expect(textOf('/etc/passwd')).toBe('ann:x:1000:1001::/home/gbuild:/bin/sh\nroot:x:0:0:root:/root:/bin/bash\n');
  });

  it("adds the caller's group only where the image has none with this id", () => {
    expect(textOf('/etc/group')).toBe('root:x:0:\ngbuild:x:1001:\n');
    expect(textOf('/etc/group', { uid: 1000, gid: 0, userName: 'ann' })).toBeUndefined();
  });

  it('leaves the tables to root, who must be able to add users', () => {
    expect(planUserTables({ uid: 0, gid: 0, userName: 'root' }, image)).toEqual([]);
  });

  it('does not let a strange user name break the table', () => {
    const strange = { uid: 7, gid: 7, userName: 'DOMAIN\\ann:x:0' };
    expect(textOf('/etc/passwd', strange)?.split('\n')[0]).toBe('gbuild:x:7:7::/home/gbuild:/bin/sh');
  });
});
