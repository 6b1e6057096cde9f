import { describe, expect, it } from 'vitest';
import type { RunConfig } from '../../src/oci/spec.ts';
import { planRebase } from '../../src/plan/rebase-plan.ts';

const oldBase: RunConfig = {
  Env: ['PATH=/usr/bin', 'NODE_VERSION=22.1.0', 'MODE=base'],
  Cmd: ['bash'],
  User: '65532:65532',
  WorkingDir: '/',
  StopSignal: 'SIGINT',
  ExposedPorts: { '9000/tcp': {} },
  Labels: {
    maintainer: 'old',
    'org.opencontainers.image.source': 'https://old.example',
    'io.gbuild.toolchain': 'node@22.1.0',
  },
};
const newBase: RunConfig = { Env: ['PATH=/usr/bin:/opt', 'NODE_VERSION=22.2.0'], StopSignal: 'SIGTERM' };

function plan(own: RunConfig, base: RunConfig | undefined = oldBase) {
  const released = {
    os: 'linux',
    architecture: 'amd64',
    config: own,
    rootfs: { type: 'layers' as const, diff_ids: [] },
  };
  return planRebase({ released, oldBase: base, newBase, labels: { new: 'said' } });
}

describe('a rebased release', () => {
  it('leaves to the new base what it had from the old one, and keeps what it set', () => {
    const { Cmd: _, ...inherited } = oldBase;
    const released: RunConfig = {
      ...inherited,
      Env: ['PATH=/usr/bin', 'NODE_VERSION=22.1.0', 'MODE=release', 'PORT=8080'],
      Entrypoint: ['node', 'server.js'],
      WorkingDir: '/app',
      ExposedPorts: { '9000/tcp': {}, '8080/tcp': {} },
      Labels: { ...oldBase.Labels, 'org.opencontainers.image.title': 'hello', team: 'web' },
    };
    expect(plan(released)).toMatchInlineSnapshot(`
      {
        "config": {
          "Entrypoint": [
            "node",
            "server.js",
          ],
          "Env": [
            "MODE=release",
            "PORT=8080",
          ],
          "ExposedPorts": {
            "8080/tcp": {},
          },
          "User": "65532:65532",
          "Volumes": {},
          "WorkingDir": "/app",
        },
        "labels": {
          "io.gbuild.toolchain": "node@22.1.0",
          "new": "said",
          "org.opencontainers.image.title": "hello",
          "team": "web",
        },
      }
    `);
  });

  it('keeps user and folder even where the old base had the same: the new one may run as root', () => {
    expect(plan(oldBase).config).toMatchObject({ User: '65532:65532', WorkingDir: '/' });
  });

  it('keeps an entrypoint that made the command of the base go, and leaves a command to the base that it never changed', () => {
    const base = { Entrypoint: ['run'], Cmd: ['serve'] };
    expect(plan({ Entrypoint: ['run'] }, base).config).toMatchObject({ Entrypoint: ['run'] });
    const { config } = plan({ ...base, StopSignal: 'SIGHUP' }, base);
    expect([config.Entrypoint, config.Cmd, config.StopSignal]).toEqual([undefined, undefined, 'SIGHUP']);
  });

  it('takes the new base by its word where the old one is not known: for variables that both images have', () => {
    const { config, labels } = plan(
      { Env: ['NODE_VERSION=22.1.0', 'PORT=1'], Cmd: ['x'], Labels: { a: '1' } },
      undefined,
    );
    expect([config.Env, config.Cmd, labels]).toEqual([['PORT=1'], ['x'], { a: '1', new: 'said' }]);
  });
});
