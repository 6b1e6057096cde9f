import { type Document, stringify } from 'yaml';
import { type TextFile, textFile } from './files.ts';

/** Formats a YAML file in YAML 1.1's terms too: texts that older readers take for numbers or booleans are quoted. */
export function yamlFile(path: string, value: object): TextFile {
  return textFile(path, stringify(value, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false }));
}

/** Formats a template that was changed, with its comments and unknown keys. */
export function documentFile(path: string, document: Document): TextFile {
  return textFile(path, document.toString({ lineWidth: 0 }));
}
