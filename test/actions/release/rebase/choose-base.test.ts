import { expect, it } from 'vitest';
import { findMisfit } from '../../../../src/actions/release/rebase/choose-base.ts';
import type { ImageConfig } from '../../../../src/oci/spec.ts';

function configOf(toolchain?: string, architecture = 'amd64'): ImageConfig {
  const Labels = toolchain === undefined ? {} : { 'io.gbuild.toolchain': toolchain };
  return { os: 'linux', architecture, config: { Labels }, rootfs: { type: 'layers', diff_ids: [] } };
}

it('a base of another platform does not fit a release', () => {
  expect(findMisfit(configOf(), configOf(undefined, 'arm64'), 'debian:12')).toEqual({
    was: 'linux/amd64',
    is: 'linux/arm64',
  });
});

it("a base of another major version of the toolchain does not fit, by its label or gbuild's name for it", () => {
  const misfit = { was: 'node 22', is: 'node 24' };
  expect(findMisfit(configOf('node@22.1.0'), configOf('node@24.0.0'), 'any')).toEqual(misfit);
  expect(findMisfit(configOf('node@22.1.0'), configOf(), 'gbuild/node:24.0.0-574e5a627e34-runtime')).toEqual(misfit);
});

it('another minor version fits, and so does a base that says nothing of a toolchain', () => {
  expect(findMisfit(configOf('node@22.1.0'), configOf('node@22.9.0'), 'any')).toBeUndefined();
  expect(findMisfit(configOf('node@22.1.0'), configOf(), 'debian:bookworm-slim')).toBeUndefined();
  expect(findMisfit(configOf(), configOf('node@22.9.0'), 'any')).toBeUndefined();
});
