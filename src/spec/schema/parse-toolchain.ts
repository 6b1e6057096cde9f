import { GbuildError } from '../../errors.ts';
import type { ToolchainRequest } from '../types.ts';
import { toolchainSchema } from './toolchain-schema.ts';

/** Parses a toolchain from a command line like `toolchain:` of a spec. Throws `usage`. */
export function parseToolchain(text: string): ToolchainRequest {
  const parsed = toolchainSchema.safeParse(text);
  if (parsed.success) return parsed.data as ToolchainRequest;
  throw new GbuildError('usage', `${JSON.stringify(text)} is not a toolchain: expected one such as node@^22`, {
    suggestions: ['gbuild toolchain ls --available'],
    facts: { text },
  });
}
