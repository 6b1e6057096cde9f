import { inject } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { describeHealing } from '../../support/store/heal-suite.ts';

const engine = inject('engineHost');

// Each kind of file is damaged in one way; the matrix tier has all.
describeHealing(
  'damaged files',
  async () => {
    const name = `e2e-heal-${process.pid}`;
    const cli = openCli({ engine, toolchain: inject('baseImage'), ownCache: true });
    const registry = await startRegistry();
    return {
      cli,
      name,
      atOnce: 4,
      registry: registry.host,
      async [Symbol.asyncDispose]() {
        await removeRepository(engine, name);
        await registry[Symbol.asyncDispose]();
        cli[Symbol.dispose]();
      },
    };
  },
  (kind, way, file) => (kind + way + file) % 6 === 0,
);
