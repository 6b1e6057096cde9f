import { readdirSync, statSync } from 'node:fs';
import { GbuildError } from '../../errors.ts';
import { readTemporaryMark } from '../../fs/writer-mark.ts';

/**
 * Refuses (`output-refused`) a folder with anything other than a layout; a missing folder is accepted. Writes nothing.
 */
export function assertLayoutPlace(dir: string): void {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory() || kindOf(readdirSync(dir)) === 'foreign') throw notALayout(dir);
}

/** Copy of a store's index as it was last written, with a digest. */
export const indexCopy = 'index.copy';

/** Returns the kind of a folder by its names; 'begun' means empty, or in the making by another process. */
export function kindOf(names: string[]): 'layout' | 'begun' | 'foreign' {
  if (names.includes('oci-layout') && names.includes('index.json')) return 'layout';
  const known = ['oci-layout', 'blobs', 'index.json', 'index.lock', indexCopy];
  return names.every((name) => known.includes(name) || readTemporaryMark(name)) ? 'begun' : 'foreign';
}

function notALayout(dir: string): GbuildError {
  return new GbuildError(
    'output-refused',
    `${JSON.stringify(dir)} holds something that is not an OCI layout; nothing was written`,
    {
      suggestions: ['Name a folder that is empty, not there yet, or an OCI layout.'],
      facts: { dir },
    },
  );
}
