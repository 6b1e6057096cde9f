import { type Document, isNode, isScalar, parseAllDocuments, parseDocument } from 'yaml';
import { messageOf } from '../errors.ts';
import type { PathKey } from '../spec/types.ts';
import { type Mistake, MistakesError } from '../spec/yaml/mistakes.ts';
import { type Remark, Source } from '../spec/yaml/source.ts';
import type { DeliveredImage } from './delivered-image.ts';

/** Template of the repository: one file, or a folder of files. */
export interface Template {
  /** Path relative to the repository. */
  path: string;
  /** Texts by path below the template. A file has its own name and is the first; those of its companion follow. */
  files: ReadonlyMap<string, string>;
}

/** Parsed file of a template, JSON or YAML, which can say where each of its values is. */
export class ParsedTemplate {
  readonly document: Document;
  readonly #source: Source;

  /** `yaml` is what is parsed where the text is more than one YAML document; its places are those of the text. */
  constructor(file: string, text: string, yaml: string | Document = text) {
    this.#source = new Source(file, text);
    const parsed = typeof yaml === 'string' ? parse(() => parseDocument(yaml, lenient)) : yaml;
    if (parsed instanceof Error)
      throw this.#refuse([this.#at(0, 1, { expected: 'JSON or YAML', found: messageOf(parsed) })]);
    this.document = parsed;
    const mistakes = parsed.errors.map(({ pos, message }) =>
      this.#at(pos[0], pos[1], { expected: 'JSON or YAML', found: message.split('\n')[0]! }),
    );
    if (mistakes.length > 0) throw this.#refuse(mistakes);
  }

  /** Plain value, merge keys and aliases resolved. */
  get value(): unknown {
    return this.#resolve(this.document);
  }

  /**
   * Reads the plain value by other rules: `yaml-1.1` as older programs read it, `failsafe` for the texts as they were
   * written, such as `yes` and `1.10`.
   */
  readAs(schema: 'yaml-1.1' | 'failsafe'): unknown {
    return this.#resolve(parseDocument(this.#source.text, { ...lenient, schema }));
  }

  /** Aliases and merge keys are resolved here, not while parsing: one may be unknown, or inside of its own value. */
  #resolve(document: Document): unknown {
    try {
      const value: unknown = document.toJS({ maxAliasCount: 1000 });
      if (!isCircular(value)) return value;
    } catch (error) {
      throw this.#refuse([this.#at(0, 1, { expected: 'aliases that can be resolved', found: messageOf(error) })]);
    }
    const found = 'an alias inside of what it stands for';
    throw this.#refuse([this.#at(0, 1, { expected: 'aliases that can be resolved', found })]);
  }

  /** Makes a mistake at the value of this path, or at the nearest one above that is there. */
  mistake(path: readonly PathKey[], remark: Omit<Remark, 'path'>): Mistake {
    const [from, to] = this.#rangeOf(path);
    return this.#at(from, to, { ...remark, path });
  }

  /** @throws MistakesError `template-invalid` with these mistakes, where there are any */
  refuseAny(mistakes: readonly Mistake[]): void {
    if (mistakes.length > 0) throw this.#refuse(mistakes);
  }

  #refuse(mistakes: readonly Mistake[]): MistakesError {
    return new MistakesError('template-invalid', mistakes);
  }

  #at(from: number, to: number, remark: Remark): Mistake {
    return this.#source.mistakeAt(from, to, remark);
  }

  #rangeOf(path: readonly PathKey[]): [number, number] {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = depth === 0 ? this.document.contents : this.document.getIn(path.slice(0, depth), true);
      const range = isNode(node) ? node.range : undefined;
      if (range) return [range[0], range[1]];
    }
    return [0, 1];
  }
}

const lenient = { merge: true, prettyErrors: false, logLevel: 'error', uniqueKeys: false } as const;

function parse<T>(read: () => T): T | Error {
  try {
    return read();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Reads a part of a plain value, which may have come by an alias or a merge key. */
export function readValueAt(value: unknown, path: readonly PathKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PathKey, unknown> | null | undefined)?.[key], value);
}

/** Parses a file of several YAML documents, each with its places in the file. Empty ones are left out. */
export function parseDocuments(file: string, text: string): ParsedTemplate[] {
  const documents = parse((): readonly Document[] => parseAllDocuments(text, lenient));
  if (documents instanceof Error) return [new ParsedTemplate(file, text)];
  return documents
    .map((document) => new ParsedTemplate(file, text, document))
    .filter(({ document: { contents } }) => contents !== null && !(isScalar(contents) && contents.value === null));
}

/** Parses the only file of a template that is a file. */
export function parseOnlyFile({ path, files }: Template): ParsedTemplate {
  return new ParsedTemplate(path, [...files.values()][0] ?? '');
}

/**
 * Finds an image that the template names by hand in the place that the release is written to: it would be forgotten
 * there, or silently replaced.
 */
export function findImageByHand(
  template: ParsedTemplate,
  path: readonly PathKey[],
  { name, version }: Pick<DeliveredImage, 'name' | 'version'>,
): Mistake | undefined {
  const said = readValueAt(template.value, path);
  if (said === undefined || said === null || said === '' || typeof said === 'object') return undefined;
  return template.mistake(path, {
    expected: `no image: gbuild writes ${name}:${version} here`,
    found: JSON.stringify(said),
    hint: 'leave the key out, or its value empty',
  });
}

/** Whether a value of a template is a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a part of itself. */
function isCircular(value: unknown): boolean {
  const open = new Set<unknown>();
  const done = new Set<unknown>();
  const visit = (node: unknown): boolean => {
    if (typeof node !== 'object' || node === null || done.has(node)) return false;
    if (open.has(node)) return true;
    open.add(node);
    const isFound = Object.values(node).some(visit);
    open.delete(node);
    done.add(node);
    return isFound;
  };
  return visit(value);
}
