import { type Document, isMap, parseDocument } from 'yaml';
import { engineKeys } from './config.ts';

/** One of the ways to name an engine; at most one is set. */
type Named = { [key in (typeof engineKeys)[number]]?: string | undefined };

/** A config.yml that names this engine and no other, or none; whatever else it says stays, comments as well. Pure. */
export function nameEngine(text: string | undefined, named: Named): string {
  return editConfig(text, (document) => {
    for (const key of engineKeys) {
      const value = named[key];
      if (value === undefined) document.delete(key);
      else document.set(key, value);
    }
  });
}

/** A config.yml that trusts a repository's declarations of this digest, or none of them; whatever else it says stays. Pure. */
export function editTrust(text: string | undefined, rootDir: string, digest: string | undefined): string {
  return editConfig(text, (document) => {
    if (digest !== undefined) return document.setIn(['trust', rootDir], digest);
    if (document.hasIn(['trust', rootDir])) document.deleteIn(['trust', rootDir]);
    const left = document.get('trust');
    if (isMap(left) && left.items.length === 0) document.delete('trust');
  });
}

function editConfig(text: string | undefined, edit: (document: Document) => void): string {
  const document: Document = parseDocument(text === undefined || text.trim() === '' ? 'config: 1\n' : text);
  edit(document);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
