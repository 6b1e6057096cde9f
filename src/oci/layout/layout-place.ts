import { readdirSync, statSync } from 'node:fs';
import { GbuildError } from '../../errors.ts';
import { readTemporaryMark } from '../../fs/writer-mark.ts';

/** Refuses (`output-refused`) what holds something else than a layout; a folder that is not there yet is free. Writes nothing. */
export function assertLayoutPlace(dir: string): void {
  const stat = statSync(dir, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory() || kindOf(readdirSync(dir)) === 'foreign') throw notALayout(dir);
}

/** Copy of a store's index: what it was last written as, with a digest. */
export const indexCopy = 'index.copy';

/** Tells by its names what a folder is; 'begun': empty, or what another process has made of it so far. */
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
