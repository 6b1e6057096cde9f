import { type MachineCode, runsOn } from '../oci/layer/machine-code.ts';

/** File of machine code in a layer. */
export interface CodeFile {
  layer: string;
  path: string;
  code: MachineCode;
}

/**
 * Finds files that some of the platforms cannot run and that have no counterpart for them. Packages for many machines
 * have a folder or a file for each (`prebuilds/linux-x64/`, `@esbuild/linux-arm64/`). Where each platform has its own,
 * all of them may stay. Pure.
 */
export function findBound(files: readonly CodeFile[], platforms: readonly string[]): CodeFile[] {
  const families = Map.groupBy(files, ({ path }) => familyOf(path));
  const isWhole = (family: readonly CodeFile[]) =>
    platforms.every((platform) => family.some(({ code }) => runsOn(code, platform)));
  return files.filter((file) => {
    if (platforms.every((platform) => runsOn(file.code, platform))) return false;
    const family = familyOf(file.path);
    return family === undefined || !isWhole(families.get(family)!);
  });
}

const word = (names: string) => `(?<![a-z0-9])(?:${names})(?![a-z0-9])`;
const machines =
  'x64|x86[_-]64|amd64|ia32|x86|i[36]86|arm64(?:v8)?|aarch64|armv?[5-8]?[hl]?|loong64|mips64(?:el|le)|ppc64(?:el|le)?|riscv64|s390x';
const systems =
  'linux|linuxmusl|darwin|macos|osx|win32|windows|android|freebsd|openbsd|sunos|musl|glibc|gnu|gnueabihf|msvc';
const aMachine = new RegExp(word(machines), 'i');
const either = new RegExp(word(`${machines}|${systems}`), 'gi');

/** Returns the path up to the machine's name, with the name left out; undefined where it names none. */
function familyOf(path: string): string | undefined {
  const parts = path.split('/');
  const at = parts.findIndex((part) => aMachine.test(part));
  if (at < 0) return undefined;
  const name = parts[at]!.replace(either, '*').replaceAll(/\*([-_.]\*)+/g, '*');
  return [...parts.slice(0, at), name].join('/');
}
