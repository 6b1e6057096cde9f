import { type Document, parseDocument } from 'yaml';
import { engineKeys } from './config.ts';

/** One of the ways to name an engine; at most one is set. */
type Named = { [key in (typeof engineKeys)[number]]?: string | undefined };

/** A config.yml that names this engine and no other, or none; whatever else it says stays, comments as well. Pure. */
export function nameEngine(text: string | undefined, named: Named): string {
  const document: Document = parseDocument(text === undefined || text.trim() === '' ? 'config: 1\n' : text);
  for (const key of engineKeys) {
    const value = named[key];
    if (value === undefined) document.delete(key);
    else document.set(key, value);
  }
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}
