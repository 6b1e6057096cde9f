import { GbuildError } from '../../errors.ts';
import type { OptionValue, ToolchainRequest } from '../../spec/types.ts';
import { suggest } from '../../spec/yaml/suggest.ts';
import type { BaseEntry, Catalog, CatalogEntry } from '../catalog/catalog.ts';
import type { ToolchainData } from '../catalog/catalog-schema.ts';
import { chooseJre, type JreRequest } from './jre.ts';

import { byVersion, fillTemplate, readOptions, withDefaults } from './options.ts';
import { resolveParts } from './parts.ts';
import { type Facts, recipeDigest, shortRecipe } from './recipe.ts';
import { nothingKnown, type Unlocked } from './resolved.ts';
import { chooseVersion, isExactVersion, semverOf } from './versions.ts';

/** Resolves a toolchain of the catalog to the locked version, else to the highest that fits. */
export function resolveEntry(
  request: Extract<ToolchainRequest, { kind: 'catalog' }>,
  catalog: Catalog,
  { version: lockedVersion, jre: askedJre }: { version: string | undefined; jre: JreRequest | undefined },
): Unlocked {
  const entry = catalog.find(request.name);
  if (entry === undefined) throw unknownToolchain(request, catalog.names);
  const { data } = entry;
  const base = catalog.base();
  const asked = readOptions(data, request.options);
  const version = lockedVersion ?? chooseVersion(data, request.range, asked);
  if (lockedVersion !== undefined && !isExactVersion(data, lockedVersion)) throw inexactLock(data, lockedVersion);
  const options = withDefaults(data, semverOf(version), asked);
  const suite = chooseSuite(data, version, options);
  const parts = resolveParts(data, version, options);
  const fill = (template: string) => fillTemplate(template, version, options).trim();
  const args = Object.fromEntries(Object.entries(data.args).map(([name, template]) => [name, fill(template)]));
  const packages = Array.isArray(options.packages) ? options.packages : [];
  const jre = askedJre && chooseJre(data, askedJre, catalog);
  const runtimePackagesOf = (templates: ToolchainData['runtimePackages']) =>
    [
      ...templates.map((rule) => fill(byVersion(rule, semverOf(version)) ?? '')).filter((name) => name !== ''),
      ...packages,
    ].sort();
  const runtimePackages = runtimePackagesOf((jre ?? data).runtimePackages);
  const { recipe, build, runtime } = nameImages(entry, base, {
    version,
    jre: jre && { target: jre.target, runtimePackages },
    facts: {
      args,
      base: { suite, reference: suiteReference(data, base, suite) },
      runtimePackages: runtimePackagesOf(data.runtimePackages),
      parts: parts.map(({ name, version: of, packages }) => ({ name, version: of, packages })),
    },
  });
  return {
    ...nothingKnown,
    kind: 'catalog',
    name: data.name,
    request: request.request,
    version,
    options: asked,
    recipe,
    build,
    runtime,
    ...rulesOf(data),
    env: { ...data.env, ...jreEnvironment(jre, askedJre) },
    ...(jre !== undefined && { jreLayers: jre.layers }),
    source: {
      kind: 'catalog',
      entry,
      base,
      suite,
      parts,
      args,
      runtimePackages,
      runtimeTarget: jre?.target ?? 'runtime',
    },
  };
}

/** Returns the data's rules about repositories unchanged. */
function rulesOf(data: ToolchainData) {
  const { caches, hostFiles, keystores, tools, tasks, layers, entrypoint, refusals, origins } = data;
  const { buildOnly, leftovers, lockFiles } = data;
  const ofImages = { layers, entrypoint, refusals, buildOnly };
  return { caches, hostFiles, keystores, tools, tasks, origins, leftovers, lockFiles, ...ofImages };
}

interface ImageFacts {
  version: string;
  /** Facts that decide the images in addition to the folders' files. */
  facts: Facts;
  /** Facts of the image's own Java runtime, which decide the runtime image. */
  jre: Facts | undefined;
}

/** Computes the recipe and the references. Another runtime image does not change the build image. */
function nameImages({ data, files }: CatalogEntry, base: BaseEntry, { version, facts, jre }: ImageFacts) {
  const all = [...base.files(), ...files()];
  const volatile = [...base.data.volatile, ...data.volatile];
  const common = { name: data.name, version, volatile, keystores: data.keystores, ...facts };
  const usual = recipeDigest(all, common);
  const recipe = jre === undefined ? usual : recipeDigest(all, { ...common, jre });
  const tagOf = (digest: string) => `gbuild/${data.name}:${version}-${shortRecipe(digest)}`;
  return { recipe, build: tagOf(usual), runtime: `${tagOf(recipe)}-runtime` };
}

function jreEnvironment(
  jre: ToolchainData['jre'][string] | undefined,
  asked: JreRequest | undefined,
): Record<string, string> {
  const fill = (template: string) => fillTemplate(template, '', { modules: asked?.modules ?? [] });
  return Object.fromEntries(Object.entries(jre?.env ?? {}).map(([name, template]) => [name, fill(template)]));
}

/** Returns the reference to pull for a toolchain's base, where it can be pulled. */
function suiteReference(data: ToolchainData, base: BaseEntry, name: string): string {
  const suite = base.data.suites[name];
  if (suite === undefined) {
    const known = Object.keys(base.data.suites).join(', ');
    throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite "${name}" (known: ${known})`);
  }
  return suite.reference;
}

/** Chooses the Debian suite for this version, or for the option that decides it. */
function chooseSuite(data: ToolchainData, version: string, options: Record<string, OptionValue>): string {
  const by = data.baseBy === undefined ? version : String(options[data.baseBy] ?? version);
  const suite = byVersion(data.base, semverOf(by));
  if (suite !== undefined) return suite;
  throw new GbuildError('toolchain-failed', `toolchain ${data.name}: no base suite is known for ${by}`);
}

function inexactLock({ name, title }: ToolchainData, version: string): GbuildError {
  return new GbuildError(
    'lock-invalid',
    `gbuild.lock: toolchain.version: "${version}" is not an exact version of ${title}`,
    {
      suggestions: ['rm gbuild.lock && gbuild lock'],
      facts: { name, version },
    },
  );
}

/** Reports an unknown toolchain; a similar name is suggested with the same version. */
function unknownToolchain({ name, request }: { name: string; request: string }, names: string[]): GbuildError {
  const near = suggest(name, names);
  const meant = near === undefined ? names[0] : `${near}${request.slice(name.length)}`;
  return new GbuildError('toolchain-unknown', `toolchain: the catalog has no "${name}"; it has ${names.join(', ')}`, {
    suggestions: [
      ...(meant === undefined ? [] : [`toolchain: ${meant}`]),
      'toolchain: REGISTRY/NAME:TAG takes an image as it is',
      'toolchain: ./FOLDER takes a folder with a Dockerfile',
    ],
    facts: { name, names },
  });
}
