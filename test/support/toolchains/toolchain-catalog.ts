import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../../src/engine/engine.ts';
import type { ToolchainRequest } from '../../../src/spec/types.ts';
import { rootReferences } from '../../../src/toolchain/build/base.ts';
import { suiteOf } from '../../../src/toolchain/build/build-entry.ts';
import { type EnsuredImage, ensureToolchain } from '../../../src/toolchain/build/ensure.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { type ResolvedToolchain, resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';
import { gbuildCacheDir } from '../runner/cache-dir.ts';
import { timeStep } from '../runner/timings.ts';
import { hostIn, neverStop, recordProgress } from './host-in.ts';

export const images = join(import.meta.dirname, '../../../images');

/** Smallest possible toolchain. */
const tinyData = (name: string) => `
toolchain: 1
name: ${name}
title: Tiny
base: bookworm
versions: { linux/amd64: 1.0.0, linux/arm64: 1.0.0 }
detect: { any: [{ file: tiny.txt }] }
`;

const tinyDockerfile = (script: string) => `
ARG GBUILD_ROOT
FROM \${GBUILD_ROOT} AS build
RUN --mount=type=bind,source=gbuild,target=/run/gbuild ${script}
`;

/** Catalogs of a test, with toolchains whose recipes are unique; everything is removed at the end. */
export class TestCatalogs {
  readonly hostDir = mkdtempSync(join(tmpdir(), 'gbuild-toolchain-'));
  readonly nonce = `${process.pid}-${Date.now()}`;
  readonly #references = new Set<string>();
  readonly #rootReference: string;

  /**
   * Opens the catalogs; `rootReference` replaces Debian's image: it exists on the engine, or is not available at all.
   */
  constructor(rootReference: string) {
    this.#rootReference = rootReference;
  }

  /** Copies the project's catalog with changed files. */
  write(name: string, change: Record<string, (text: string) => string> = {}): string {
    const hostDir = join(this.hostDir, 'catalogs', name);
    cpSync(images, hostDir, { recursive: true });
    const base = (text: string) =>
      text.replaceAll(/debian:\w+-slim/g, this.#rootReference).replace('volatile:', `volatile:\n  - ${this.nonce}`);
    for (const [file, edit] of Object.entries({ 'base/base.yml': base, ...change })) {
      writeFileSync(join(hostDir, file), edit(readFileSync(join(hostDir, file), 'utf8')));
    }
    return hostDir;
  }

  /** Resolves a toolchain whose build image is the root with one RUN step on it. */
  resolveTiny(name: string, script: string): Promise<ResolvedToolchain> {
    const hostDir = this.write(name);
    cpSync(join(hostDir, 'node'), join(hostDir, name), { recursive: true });
    for (const file of readdirSync(join(hostDir, name))) rmSync(join(hostDir, name, file));
    writeFileSync(join(hostDir, name, 'toolchain.yml'), tinyData(name));
    writeFileSync(join(hostDir, name, 'Dockerfile'), tinyDockerfile(script));
    return this.resolve(hostDir, { kind: 'catalog', request: name, name, range: '*', options: {} });
  }

  async resolve(hostDir: string, request: ToolchainRequest): Promise<ResolvedToolchain> {
    return this.remember(resolveToolchain(request, await readCatalog([hostDir])));
  }

  /**
   * Registers a resolved toolchain: its images are removed from the engine at the end, its bases too, because their
   * recipes belong to these catalogs.
   */
  remember(resolved: ResolvedToolchain): ResolvedToolchain {
    for (const reference of referencesOf(resolved)) this.#references.add(reference);
    return resolved;
  }

  async remove(engine: Engine): Promise<void> {
    for (const reference of this.#references) await engine.removeImage(reference);
    rmSync(this.hostDir, { recursive: true, force: true });
  }
}

/** Makes a toolchain of gbuild's own catalog, once for all tests; it is never removed. */
export async function ensureFromCatalog(
  engine: Engine,
  name: string,
  range: string,
): Promise<{ build: EnsuredImage; runtime: EnsuredImage }> {
  const request = { kind: 'catalog', request: `${name}@${range}`, name, range, options: {} } as const;
  const resolved = resolveToolchain(request, await readCatalog([images]));
  const context = { engine, host: hostIn(gbuildCacheDir), progress: recordProgress(), stop: neverStop() };
  const { build, runtime } = await timeStep(`toolchain: ${name} ${range}`, () =>
    ensureToolchain(resolved, { ...context, role: 'both' }),
  );
  return { build, runtime: runtime! };
}

/** Lists everything that making a toolchain may leave on an engine, by name. */
export function referencesOf({ build, runtime, source }: ResolvedToolchain): string[] {
  const roots = source.kind === 'catalog' ? rootReferences(suiteOf(source)) : [];
  return [build, ...(runtime === undefined ? [] : [runtime]), ...roots];
}

export async function listStaging(engine: Engine): Promise<string[]> {
  const tags = (await engine.listImages({ reference: 'gbuild-staging' })).flatMap((image) => image.tags);
  return tags.filter((tag) => tag.includes(`_${process.pid}_`));
}
