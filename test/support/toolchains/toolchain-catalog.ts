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

/** A toolchain as small as one can be. */
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

/** Catalogs of a test's own, so that its toolchains have recipes that nobody else has; all of it is removed in the end. */
export class TestCatalogs {
  readonly hostDir = mkdtempSync(join(tmpdir(), 'gbuild-toolchain-'));
  readonly nonce = `${process.pid}-${Date.now()}`;
  readonly #references = new Set<string>();
  readonly #rootReference: string;

  /** `rootReference`: what stands for Debian's image, present on the engine or not to be had anywhere. */
  constructor(rootReference: string) {
    this.#rootReference = rootReference;
  }

  /** A copy of the project's catalog with files changed. */
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

  /** A toolchain whose build image is the root with one RUN step on it. */
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

  /** What is resolved is removed from the engine in the end, its roots too: their recipes are these catalogs' own. */
  remember(resolved: ResolvedToolchain): ResolvedToolchain {
    for (const reference of referencesOf(resolved)) this.#references.add(reference);
    return resolved;
  }

  async remove(engine: Engine): Promise<void> {
    for (const reference of this.#references) await engine.removeImage(reference);
    rmSync(this.hostDir, { recursive: true, force: true });
  }
}

/** A toolchain of gbuild's own catalog, made once for all tests: nobody removes it. */
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

/** Everything that making a toolchain may leave on an engine, by name. */
export function referencesOf({ build, runtime, source }: ResolvedToolchain): string[] {
  const roots = source.kind === 'catalog' ? rootReferences(suiteOf(source)) : [];
  return [build, ...(runtime === undefined ? [] : [runtime]), ...roots];
}

export async function listStaging(engine: Engine): Promise<string[]> {
  const tags = (await engine.listImages({ reference: 'gbuild-staging' })).flatMap((image) => image.tags);
  return tags.filter((tag) => tag.includes(`_${process.pid}_`));
}
