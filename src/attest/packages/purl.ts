export interface PurlParts {
  type: string;
  namespace?: string;
  name: string;
  version?: string;
  qualifiers?: Record<string, string>;
}

/**
 * Formats the package URL (purl-spec, "How to build"): qualifiers sorted, everything percent-encoded that the rules
 * name.
 */
export function formatPurl({ type, namespace, name, version, qualifiers = {} }: PurlParts): string {
  const path = [...(namespace?.split('/') ?? []), name].map(encode).join('/');
  const pairs = Object.keys(qualifiers)
    .sort()
    .map((key) => `${key}=${encode(qualifiers[key]!)}`);
  return [
    `pkg:${type}/${path}`,
    version === undefined ? '' : `@${encode(version)}`,
    pairs.length === 0 ? '' : `?${pairs.join('&')}`,
  ].join('');
}

/** Encodes all but letters, digits, `.-_~` and the colon (purl-spec, "Character encoding"). */
function encode(text: string): string {
  const encoded = encodeURIComponent(text).replaceAll('%3A', ':');
  return encoded.replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
