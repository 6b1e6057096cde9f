import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { novaText } from '../../deliver/targets/nova/nova-yml.ts';
import { type DeliveryRig, openDelivery } from './delivery-rig.ts';

/** Repository with a nova.yml. */
export interface NovaRig extends AsyncDisposable {
  rig: DeliveryRig;
  /** Name of the service in nova.yml. */
  service: string;
  /** Writes nova.yml with these variables of the stack prod. */
  describe(variables: Record<string, string>): void;
  /** Delivers the bundle. Returns its file, its path in the bucket, and its SHA-256. */
  bundle(version: string): Promise<{ file: string; key: string; sha256: string }>;
}

/** Opens a rig whose validation gives up after 20 seconds. */
export async function openNova(word: string): Promise<NovaRig> {
  const rig = await openDelivery({ word });
  const service = rig.name.replace('acme/', '');
  rig.describe('  targets:\n    nova: { kind: nova, options: { attempts: 20, interval: 1 } }\n');
  return {
    rig,
    service,
    describe: (variables) => {
      const lines = Object.entries(variables).map(([key, value]) => `        - ${key}: ${JSON.stringify(value)}\n`);
      const settings = `      deployment_variables:\n${lines.join('')}      deployment_arguments:\n        - --mode: a b\n`;
      writeFileSync(join(rig.rootDir, 'nova.yml'), novaText({ serviceName: service, settings }));
    },
    bundle: async (version) => {
      const dir = join(rig.cli.dir, 'delivered', version);
      const { files } = await rig.delivered(['nova', version, '--output', dir]);
      expect(files.map(({ path }) => path)).toEqual([`${service}/${version}.tar.gz`]);
      const { path: key, sha256 } = files[0]!;
      return { file: join(dir, key), key, sha256 };
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}
