/** A process of its own that writes to a layout: `node layout-writer.ts DIR NAME COUNT`, or `... DIR NAME hang`. */

import { withLock } from '../../../src/fs/lock-file.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { openLayout } from '../../../src/oci/layout/layout.ts';
import { annotationKeys, mediaTypes } from '../../../src/oci/spec.ts';

const [dir = '', name = '', mode = ''] = process.argv.slice(2);
const layout = await openLayout(dir);

async function* neverEnding(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(1 << 20);
  process.send?.('writing');
  await new Promise((resolve) => setTimeout(resolve, 600_000));
}

if (mode === 'hang') {
  await withLock(`${dir}/index.lock`, () => layout.writeBlob(digestOf(Buffer.from(name)), 1, neverEnding()));
}
const shared = Buffer.alloc(1 << 20, 'the same blob for everyone');
for (let i = 0; i < Number(mode); i++) {
  await layout.writeBlob(digestOf(shared), shared.length, [shared]);
  const bytes = Buffer.from(`${name} ${i}`);
  await layout.writeBlob(digestOf(bytes), bytes.length, [bytes]);
  const annotations = { [annotationKeys.refName]: `${name}:${i}` };
  await layout.putManifest({
    mediaType: mediaTypes.manifest,
    digest: digestOf(bytes),
    size: bytes.length,
    annotations,
  });
}
