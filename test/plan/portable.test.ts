import { expect, test } from 'vitest';
import type { MachineCode } from '../../src/oci/layer/machine-code.ts';
import { findBound } from '../../src/plan/portable.ts';

const elf = (machine: string): MachineCode => ({ format: 'ELF', machine });
const [amd, arm] = [elf('x86-64'), elf('AArch64')];
const both = ['linux/amd64', 'linux/arm64'];

/** The paths that are for one of the platforms alone. */
function bound(files: [string, MachineCode][], platforms = both): string[] {
  const all = files.map(([path, code]) => ({ layer: 'gbuild layer: dependencies', path, code }));
  return findBound(all, platforms).map(({ path }) => path);
}

test('a file for one of two machines is bound to it, and for a third to none of them', () => {
  expect(bound([['app/a.so', amd]])).toEqual(['app/a.so']);
  expect(bound([['app/a.so', elf('RISC-V')]])).toEqual(['app/a.so']);
  expect(bound([['app/a.so', amd]], ['linux/amd64', 'linux/amd64/v3'])).toEqual([]);
  expect(bound([])).toEqual([]);
});

test.each([
  ['prebuilds', ['node_modules/a/prebuilds/linux-x64/a.node', 'node_modules/a/prebuilds/linux-arm64/a.node']],
  [
    'packages by scope',
    ['node_modules/@esbuild/linux-x64/bin/esbuild', 'node_modules/@esbuild/linux-arm64/bin/esbuild'],
  ],
  [
    'packages by name',
    ['node_modules/@img/sharp-linux-x64/lib/s.node', 'node_modules/@img/sharp-linux-arm64/lib/s.node'],
  ],
  ['files by name', ['node_modules/a/index.linux-x64-gnu.node', 'node_modules/a/index.linux-arm64-gnu.node']],
  ['folders of systems', ['lib/native/Linux/x86_64/a.so', 'lib/native/Linux/aarch64/a.so']],
])('what is there for each of the machines may stay: %s', (_, [forAmd, forArm]) => {
  expect(
    bound([
      [forAmd!, amd],
      [forArm!, arm],
    ]),
  ).toEqual([]);
  expect(bound([[forAmd!, amd]])).toEqual([forAmd]);
  expect(
    bound([
      [forAmd!, amd],
      [forArm!, amd],
    ]),
  ).toEqual([forAmd, forArm]);
});

test('where each platform has its own, those of other systems do no harm', () => {
  const windows: MachineCode = { format: 'PE', machine: 'x86-64' };
  const files: [string, MachineCode][] = [
    ['a/prebuilds/linux-x64/a.node', amd],
    ['a/prebuilds/linux-arm64/a.node', arm],
    ['a/prebuilds/win32-x64/a.node', windows],
  ];
  expect(bound(files)).toEqual([]);
  expect(bound(files.slice(1))).toEqual(['a/prebuilds/linux-arm64/a.node', 'a/prebuilds/win32-x64/a.node']);
});

test('one package does not stand in for another', () => {
  const files: [string, MachineCode][] = [
    ['node_modules/a/prebuilds/linux-x64/a.node', amd],
    ['node_modules/b/prebuilds/linux-arm64/b.node', arm],
  ];
  expect(bound(files)).toEqual(files.map(([path]) => path));
});

test('a name that merely contains such a word says nothing', () => {
  const files: [string, MachineCode][] = [
    ['charm/a.so', amd],
    ['alarm/a.so', arm],
  ];
  expect(bound(files)).toEqual(['charm/a.so', 'alarm/a.so']);
});
