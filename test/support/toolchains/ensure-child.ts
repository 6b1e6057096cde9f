// Makes a toolchain in a process that is killed meanwhile. Reads from stdin: engine, caches, and the catalog's folder
// and entry.
import { text } from 'node:stream/consumers';
import { connectEngine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { ensureToolchain } from '../../../src/toolchain/build/ensure.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { endpointOf } from '../engines/endpoint-of.ts';
import { hostIn, neverStop } from './host-in.ts';

const { engineHost, cacheDir, catalogDir, name } = JSON.parse(await text(process.stdin)) as Record<string, string>;
const engine = connectEngine(endpointOf(engineHost!), { owner: readOwner(), runId: 'ensure-child' });
const request = { kind: 'catalog', request: name!, name: name!, range: '*', options: {} } as const;
const say = (line: string) => void process.stdout.write(`${line}\n`);
await ensureToolchain(resolveToolchain(request, await readCatalog([catalogDir!])), {
  engine,
  host: hostIn(cacheDir!),
  progress: {
    note: say,
    warn: say,
    step: (title, work) => {
      say(title);
      return work({ update: say, log: say });
    },
  },
  stop: neverStop(),
  role: 'build',
});
