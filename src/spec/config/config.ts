import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { mapping } from '../schema/mapping.ts';
import { gitAddress, memory, registryHost, text } from '../schema/scalars.ts';
import type { Mistake } from '../yaml/mistakes.ts';
import { type FileFormat, parseFile } from '../yaml/parse-file.ts';
import type { Source } from '../yaml/source.ts';
import { findTree, type YamlTree } from '../yaml/tree.ts';

/** Configuration of a person, for all of their repositories. */
export interface UserConfig {
  config: 1;
  /** Absolute folders or git addresses, searched after a repository's own catalogs and before gbuild's. */
  catalogs: string[];
  /** Limit in bytes; a larger dependency cache is emptied. */
  cacheLimit: number;
  /** Registries by `HOST` or `HOST:PORT`. */
  registries: Record<string, RegistryConfig>;
  signing: {
    /** Private key file; `~/` is the home folder. */
    key?: string;
    /** URI of the builder in provenance. */
    builder?: string;
    /** Whether to write Sigstore bundles in addition to cosign's signatures. */
    bundles?: boolean;
  };
  /** Trusted digests by the root folder of a repository: of what its gbuild.yml may run and read on this machine. */
  trust: Record<string, string>;
  /** Engine to use where neither a flag nor the environment names one; at most one of the three is set. */
  host?: string;
  context?: string;
  machine?: string;
}

/** Settings of one registry. */
export interface RegistryConfig {
  /** Whether it may have any certificate, or no TLS. */
  insecure: boolean;
}

const place = text.refine(
  (written) => gitAddress.test(written) || isAbsolute(written) || written.startsWith('~/'),
  'an absolute folder, one below ~/, or a git address such as https://git.example.com/toolchains.git#v1',
);

const rootFolder = text.refine(isAbsolute, 'the absolute folder of a repository');
const agreed = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'a digest | "gbuild trust" writes it');

/** Keys that name an engine. */
export const engineKeys = ['host', 'context', 'machine'] as const;

const configFormat: FileFormat<UserConfig> = {
  code: 'config-invalid',
  versionKey: 'config',
  title: 'a mapping of the keys of config.yml',
  suggestions: [],
  schema: mapping({
    config: z.literal(1, '1 | the first line of the file is "config: 1"'),
    catalogs: z.array(place).default([]),
    cacheLimit: memory.prefault('10g'),
    registries: z.record(registryHost, mapping({ insecure: z.boolean('true or false').default(false) })).default({}),
    signing: mapping({
      key: z.exactOptional(text),
      builder: z.exactOptional(z.url('a URI such as https://ci.example.com/agents')),
      bundles: z.exactOptional(z.boolean('true or false')),
    }).prefault({}),
    trust: z.record(rootFolder, agreed).default({}),
    host: z.exactOptional(text),
    context: z.exactOptional(text),
    machine: z.exactOptional(text),
  }),
  check: checkEngine,
  upgrade: () => [],
};

/** Reports a file with two names of an engine. */
function checkEngine(tree: YamlTree, source: Source): Mistake[] {
  const named = engineKeys.map((key) => findTree(tree, [key])).filter(({ whole }) => whole);
  return named
    .slice(1)
    .map(({ tree: { from, to } }) =>
      source.mistakeAt(from, to, { expected: `one of ${engineKeys.join(', ')}`, found: 'a second name of an engine' }),
    );
}

/** Parses config.yml; throws `config-invalid` with every mistake. `~/` becomes the home. */
export function parseConfig(bytes: string | Uint8Array, fileName: string, homeDir: string): UserConfig {
  const { output } = parseFile(bytes, fileName, configFormat);
  const atHome = (path: string) => path.replace(/^~(?=\/)/, join(homeDir));
  const { key } = output.signing;
  return {
    ...output,
    catalogs: output.catalogs.map(atHome),
    signing: { ...output.signing, ...(key !== undefined && { key: atHome(key) }) },
  };
}
