/** Machine code of a file, identified by its first bytes. */
export interface MachineCode {
  format: 'ELF' | 'Mach-O' | 'PE';
  /** Machine such as `x86-64`, or a number without a known name. */
  machine: string;
}

/** Number of first bytes of a file that are needed. */
export const mostMachineBytes = 4096;

/** Machines by their number in ELF's e_machine (System V ABI, and its registry). */
const elfMachines = new Map([
  [3, 'x86'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, 'PowerPC 64'],
  [22, 'S/390'],
  [40, 'Arm'],
  [62, 'x86-64'],
  [183, 'AArch64'],
  [243, 'RISC-V'],
  [258, 'LoongArch'],
]);

/** BPF, which the kernel compiles for its own machine, and files for no machine at all. */
const anyMachine = new Set([0, 247]);

const machMachines = new Map([
  [7, 'x86'],
  [0x0100_0007, 'x86-64'],
  [12, 'Arm'],
  [0x0100_000c, 'AArch64'],
]);

const peMachines = new Map([
  [0x14c, 'x86'],
  [0x8664, 'x86-64'],
  [0x1c4, 'Arm'],
  [0xaa64, 'AArch64'],
]);

/** Machine of a Linux platform. */
const machineOf: Record<string, string> = {
  '386': 'x86',
  amd64: 'x86-64',
  arm: 'Arm',
  arm64: 'AArch64',
  loong64: 'LoongArch',
  mips64le: 'MIPS',
  ppc64le: 'PowerPC 64',
  riscv64: 'RISC-V',
  s390x: 'S/390',
};

/**
 * Identifies machine code by a file's first bytes; undefined for other files, and for code that runs on any machine.
 */
export function identifyCode(bytes: Buffer): MachineCode | undefined {
  if (bytes.length < 20) return undefined;
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f45_4c46) return identifyElf(bytes);
  if (magic === 0xcefa_edfe || magic === 0xcffa_edfe) return mach(bytes.readUInt32LE(4));
  if (magic === 0xfeed_face || magic === 0xfeed_facf) return mach(bytes.readUInt32BE(4));
  // Java classes have the same first bytes. At the place of their version, from 45 on, such a file has its number of
  // parts.
  if (magic === 0xcafe_babe && bytes.readUInt32BE(4) < 43) return { format: 'Mach-O', machine: 'several machines' };
  return bytes.readUInt16BE(0) === 0x4d5a ? identifyPe(bytes) : undefined;
}

/** Whether Linux on the platform (`linux/arm64`) could run it. */
export function runsOn({ format, machine }: MachineCode, platform: string): boolean {
  return format === 'ELF' && machineOf[platform.split('/')[1] ?? ''] === machine;
}

function identifyElf(bytes: Buffer): MachineCode | undefined {
  const machine = bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
  return anyMachine.has(machine) ? undefined : { format: 'ELF', machine: elfMachines.get(machine) ?? `${machine}` };
}

function mach(machine: number): MachineCode {
  return { format: 'Mach-O', machine: machMachines.get(machine) ?? `${machine}` };
}

/** Identifies a PE file (Microsoft, "PE Format"); one with a CLR header is .NET code, for any machine. */
function identifyPe(bytes: Buffer): MachineCode | undefined {
  const at = bytes.length < 0x40 ? bytes.length : bytes.readUInt32LE(0x3c);
  if (at + 0x108 > bytes.length || bytes.readUInt32BE(at) !== 0x5045_0000) return undefined;
  const directories = at + 24 + (bytes.readUInt16LE(at + 24) === 0x20b ? 112 : 96);
  if (bytes.readUInt32LE(directories + 14 * 8) !== 0) return undefined;
  const machine = bytes.readUInt16LE(at + 4);
  return { format: 'PE', machine: peMachines.get(machine) ?? `${machine}` };
}
