import type { Platform } from './spec.ts';

/** Go's names of the architectures that Linux images are made for. */
export const architectures = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];

/** `usual` is meant where nothing is said, and only of 32-bit Arm it is written. */
const variants: Record<string, { usual: string; others?: string[] }> = {
  amd64: { usual: 'v1', others: ['v2', 'v3', 'v4'] },
  arm: { usual: 'v7', others: ['v5', 'v6', 'v8'] },
  arm64: { usual: 'v8' },
};

/** Names that other tools give them. */
const otherNames: Record<string, string> = {
  x86_64: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  arm64v8: 'arm64',
  i386: '386',
};

/** `linux/arm64` as it is always spelt, `linux/arm64/v8` the same; undefined for a platform that no Linux image is for. */
export function parsePlatform(text: string): string | undefined {
  const [os, architecture = '', variant, ...rest] = text.split('/');
  if (os !== 'linux' || rest.length > 0 || !architectures.includes(architecture)) return undefined;
  const { usual, others = [] } = variants[architecture] ?? {};
  if (variant === undefined || variant === usual)
    return architecture === 'arm' ? `linux/arm/${usual}` : `linux/${architecture}`;
  return others.includes(variant) ? text : undefined;
}

/** Suggests a platform for `linux/x86_64` or `arm64`; undefined where nothing is like it. */
export function suggestPlatform(text: string): string | undefined {
  const [first = '', ...rest] = text
    .toLowerCase()
    .replace(/^linux\//, '')
    .split('/');
  return parsePlatform(['linux', otherNames[first] ?? first, ...rest].join('/'));
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(Boolean).join('/');
}

/** As `formatPlatform`, but the same text for one platform however it is spelt: `linux/arm64/v8` is `linux/arm64`. */
export function nameOfPlatform(platform: Platform): string {
  const text = formatPlatform(platform);
  return parsePlatform(text) ?? text;
}

export function splitPlatform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
