import { join } from 'node:path';
import { expect, test } from 'vitest';
import { composeLock } from '../../../src/actions/toolchain/make-lock.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import type { Lock } from '../../../src/spec/lock/lock-types.ts';
import { readCatalog } from '../../../src/toolchain/catalog/catalog.ts';
import { resolveToolchain } from '../../../src/toolchain/resolve/resolve.ts';

const catalog = await readCatalog([join(import.meta.dirname, '../../../images')]);
const toolchain = resolveToolchain(
  { kind: 'catalog', request: 'node', name: 'node', range: '*', options: {} },
  catalog,
);
const [here, there] = [{ build: 'sha256:here' }, { build: 'sha256:there' }];

/** A lock of a recipe, with an entry of another platform. */
function lockOf(recipe: Lock['toolchain']['recipe']): Lock {
  const { request, name, version } = toolchain;
  const platforms = { 'linux/amd64': { build: 'sha256:old' }, 'linux/arm64': there };
  return { lock: 1, toolchain: { request, name, version, recipe, registry: 'registry.example', platforms } };
}

const compose = (before: Lock | undefined) => composeLock({ toolchain }, 'linux/amd64', here, before).toolchain;

test('a lock that is made anew keeps the entries of other platforms while the recipe is theirs too', () => {
  expect(compose(lockOf(toolchain.recipe)).platforms).toEqual({ 'linux/amd64': here, 'linux/arm64': there });
});

test('of another recipe nothing is kept but where images can be had', () => {
  const { platforms, registry } = compose(lockOf(digestOf(Buffer.from('another'))));
  expect([platforms, registry]).toEqual([{ 'linux/amd64': here }, 'registry.example']);
  expect(compose(undefined).platforms).toEqual({ 'linux/amd64': here });
});
