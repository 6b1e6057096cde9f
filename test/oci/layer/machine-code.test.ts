import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { identifyCode, mostMachineBytes, runsOn } from '../../../src/oci/layer/machine-code.ts';

function elf(machine: number, endian: 'little' | 'big' = 'little'): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.write(`\x7fELF\x02${endian === 'little' ? '\x01' : '\x02'}\x01`, 'latin1');
  if (endian === 'little') bytes.writeUInt16LE(machine, 18);
  else bytes.writeUInt16BE(machine, 18);
  return bytes;
}

function mach(magic: number, cpu: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt32LE(cpu, 4);
  return bytes;
}

/** A PE file whose header lies at 0x80. */
function pe(machine: number, { managed = false } = {}): Buffer {
  const bytes = Buffer.alloc(0x300);
  bytes.write('MZ');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE\0\0', 0x80);
  bytes.writeUInt16LE(machine, 0x84);
  bytes.writeUInt16LE(0x20b, 0x98);
  if (managed) bytes.writeUInt32LE(0x2000, 0x98 + 112 + 14 * 8);
  return bytes;
}

test('the program that runs this is machine code of this machine', () => {
  const code = identifyCode(readFileSync(process.execPath).subarray(0, mostMachineBytes));
  const machine = { x64: 'x86-64', arm64: 'AArch64' }[process.arch as 'x64'];
  expect(code).toEqual({ format: process.platform === 'darwin' ? 'Mach-O' : 'ELF', machine });
});

describe('machine code is told by its first bytes:', () => {
  test.each([
    ['ELF for x86-64', elf(62)],
    ['ELF for AArch64', elf(183)],
    ['ELF for S/390', elf(22, 'big')],
    ['ELF for 9999', elf(9999)],
    ['Mach-O for AArch64', mach(0xcffa_edfe, 0x0100_000c)],
    ['Mach-O for x86-64', mach(0xcffa_edfe, 0x0100_0007)],
    ['Mach-O for several machines', Buffer.from(`cafebabe00000002${'00'.repeat(20)}`, 'hex')],
    ['PE for x86-64', pe(0x8664)],
  ])('%s', (said, bytes) => {
    const { format, machine } = identifyCode(bytes) ?? {};
    expect(`${format} for ${machine}`).toBe(said);
  });
});

describe('no machine code for one machine is', () => {
  test.each([
    ['a script', Buffer.from('#!/bin/sh\nexec node /app/server.js\n')],
    ['a Java class', Buffer.from(`cafebabe00000041${'00'.repeat(20)}`, 'hex')],
    ['a jar', Buffer.from(`504b0304${'00'.repeat(60)}`, 'hex')],
    ['code for the BPF of any kernel', elf(247)],
    ['what .NET compiles where it runs', pe(0x14c, { managed: true })],
    ['a program of DOS', Buffer.from(`MZ${'\0'.repeat(600)}`)],
    ['a file that ends after ELF’s magic', Buffer.from('\x7fELF')],
    ['a PE file that was cut', pe(0x8664).subarray(0, 0x90)],
    ['nothing', Buffer.alloc(0)],
  ])('%s', (_, bytes) => {
    expect(identifyCode(bytes)).toBeUndefined();
  });
});

test('only ELF of its own machine runs on a platform', () => {
  const [amd, arm] = [identifyCode(elf(62))!, identifyCode(elf(183))!];
  expect(['linux/amd64', 'linux/amd64/v3', 'linux/arm64'].map((each) => runsOn(amd, each))).toEqual([
    true,
    true,
    false,
  ]);
  expect(runsOn(arm, 'linux/arm64')).toBe(true);
  expect(runsOn(identifyCode(pe(0x8664))!, 'linux/amd64')).toBe(false);
});
