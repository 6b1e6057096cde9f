/** Challenge of a registry: `WWW-Authenticate` of a 401 (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Scheme in lower case. */
  scheme: string;
  parameters: Record<string, string>;
}

const token = "[A-Za-z0-9!#$%&'*+.^_`|~-]+";
const parameter = new RegExp(`(${token})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${token}))`, 'y');
const schemeName = new RegExp(`(${token})(?:\\s+|$|(?=,))`, 'y');

/** Parses every challenge of the header, in its order; an unreadable part ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  for (let at = skipSeparators(header, 0); at < header.length; ) {
    parameter.lastIndex = at;
    const [whole, name, quoted, bare] = parameter.exec(header) ?? [];
    if (whole !== undefined && challenges.length > 0) {
      challenges.at(-1)!.parameters[name!.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '';
      at = skipSeparators(header, parameter.lastIndex);
      continue;
    }
    schemeName.lastIndex = at;
    const scheme = schemeName.exec(header)?.[1];
    if (scheme === undefined) break;
    challenges.push({ scheme: scheme.toLowerCase(), parameters: {} });
    at = skipSeparators(header, schemeName.lastIndex);
  }
  return challenges;
}

function skipSeparators(text: string, from: number): number {
  let at = from;
  while (at < text.length && /[\s,]/.test(text[at]!)) at += 1;
  return at;
}
