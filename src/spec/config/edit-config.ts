import { type Document, isMap, parseDocument } from 'yaml';
import { engineKeys } from './config.ts';

/** Name of an engine in one of its forms; at most one is set. */
type Named = { [key in (typeof engineKeys)[number]]?: string | undefined };

/** Returns a config.yml that names this engine only, or none. The rest stays, with its comments. Pure. */
export function nameEngine(text: string | undefined, named: Named): string {
  return editConfig(text, (document) => {
    for (const key of engineKeys) {
      const value = named[key];
      if (value === undefined) document.delete(key);
      else document.set(key, value);
    }
  });
}

/** Returns a config.yml that trusts a repository's declarations of this digest, or none. The rest stays. Pure. */
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
