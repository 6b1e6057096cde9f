import { stringify } from 'yaml';
import { type TextFile, textFile } from './files.ts';

/** Formats a YAML file in YAML 1.1's terms too: texts that older readers take for numbers or booleans are quoted. */
export function yamlFile(path: string, value: object): TextFile {
  return textFile(path, stringify(value, { lineWidth: 0, version: '1.1', aliasDuplicateObjects: false }));
}
