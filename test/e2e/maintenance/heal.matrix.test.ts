import { inject } from 'vitest';
import { openCli } from '../../support/cli/cli.ts';
import { removeRepository } from '../../support/engines/engine-images.ts';
import { startRegistry } from '../../support/registry/registry.ts';
import { openFarEngine } from '../../support/remote-engines/far-engine.ts';
import { describeHealing } from '../../support/store/heal-suite.ts';

const engine = inject('engineHost');
const toolchain = inject('baseImage');

describeHealing(
  'damaged files, in every way',
  async () => {
    const name = `e2e-heal-all-${process.pid}`;
    const cli = openCli({ engine, toolchain, ownCache: true });
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
  () => true,
);

describeHealing(
  'damaged files of runs on an engine that does not see the workspace',
  async () => {
    const opened = await openFarEngine(engine, { toolchain });
    const registry = await startRegistry();
    return {
      cli: opened.cli,
      name: `e2e-heal-far-${process.pid}`,
      registry: registry.host,
      async [Symbol.asyncDispose]() {
        await registry[Symbol.asyncDispose]();
        await opened[Symbol.asyncDispose]();
      },
    };
  },
  // What the store and the near engine's runs leave is damaged above.
  (kind) => kind >= 7 && kind <= 9,
);
