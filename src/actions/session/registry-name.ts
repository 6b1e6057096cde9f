import { GbuildError } from '../../errors.ts';

/** Parses HOST or HOST:PORT; throws `usage` for anything else. */
export function parseRegistry(text: string): string {
  if (/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?$/.test(text)) return text;
  throw new GbuildError('usage', `${JSON.stringify(text)} is not a registry: expected HOST or HOST:PORT`, {
    suggestions: ['gbuild push --registry registry.example.com:5000 hello:1.0.1'],
    facts: { registry: text },
  });
}

/** Reports that neither the command line, nor GBUILD_REGISTRY, nor gbuild.yml names a registry. */
export function noRegistry(): GbuildError {
  return new GbuildError('usage', 'nothing says which registry to push to', {
    suggestions: ['write "registry: registry.example.com" in gbuild.yml', 'or add --registry registry.example.com'],
  });
}
