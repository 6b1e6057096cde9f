import type { Platform } from './spec.ts';

/** Architectures of Linux images in Go's names. */
export const architectures = ['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips64le', 'ppc64le', 'riscv64', 's390x'];

/** Variants by architecture. `usual` is meant where none is given; only 32-bit Arm writes it. */
const variants: Record<string, { usual: string; others?: string[] }> = {
  amd64: { usual: 'v1', others: ['v2', 'v3', 'v4'] },
  arm: { usual: 'v7', others: ['v5', 'v6', 'v8'] },
  arm64: { usual: 'v8' },
};

/** Names in other tools. */
const otherNames: Record<string, string> = {
  x86_64: 'amd64',
  x64: 'amd64',
  aarch64: 'arm64',
  arm64v8: 'arm64',
  i386: '386',
};

/** Normalises a platform: `linux/arm64/v8` becomes `linux/arm64`. Undefined for a platform without Linux images. */
export function parsePlatform(text: string): string | undefined {
  const [os, architecture = '', variant, ...rest] = text.split('/');
  if (os !== 'linux' || rest.length > 0 || !architectures.includes(architecture)) return undefined;
  const { usual, others = [] } = variants[architecture] ?? {};
  if (variant === undefined || variant === usual)
    return architecture === 'arm' ? `linux/arm/${usual}` : `linux/${architecture}`;
  return others.includes(variant) ? text : undefined;
}

/** Suggests a platform for `linux/x86_64` or `arm64`; undefined where nothing is similar. */
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

/** Formats a platform with one text for all its spellings: `linux/arm64/v8` is `linux/arm64`. */
export function nameOfPlatform(platform: Platform): string {
  const text = formatPlatform(platform);
  return parsePlatform(text) ?? text;
}

export function splitPlatform(text: string): Platform {
  const [os = '', architecture = '', variant] = text.split('/');
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
