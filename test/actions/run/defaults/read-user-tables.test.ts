import { join } from 'node:path';
import { createFixture } from 'fs-fixture';
import { expect, it } from 'vitest';
import { readUserTables } from '../../../../src/actions/run/defaults/read-user-tables.ts';
import type { Engine } from '../../../../src/engine/engine.ts';
import { damages, listFiles } from '../../../support/store/store-release.ts';
import { hostIn } from '../../../support/toolchains/host-in.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\n';

it('tables are read from the engine once, and again where the file of them is damaged', async () => {
  await using fixture = await createFixture();
  let reads = 0;
  const engine = {
    inspectImage: async () => ({ id: `sha256:${'a'.repeat(64)}` }),
    readImageFiles: async () => {
      reads += 1;
      return new Map([['/etc/passwd', Buffer.from(passwd)]]);
    },
  } as unknown as Engine;
  const read = () => readUserTables(engine, hostIn(fixture.path), 'image');
  expect([await read(), await read(), reads]).toEqual([{ passwd, group: '' }, { passwd, group: '' }, 1]);
  const [file] = listFiles(fixture.path);
  for (const damage of Object.values(damages)) {
    damage(join(fixture.path, file!));
    const before = reads;
    expect([await read(), await read(), reads - before]).toEqual([{ passwd, group: '' }, { passwd, group: '' }, 1]);
  }
});
