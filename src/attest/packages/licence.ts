import parse from 'spdx-expression-parse';
import deprecated from 'spdx-license-ids/deprecated.json' with { type: 'json' };
import ids from 'spdx-license-ids/index.json' with { type: 'json' };

/** Licences in the words of packages without SPDX identifiers, where they mean a single licence. */
const names: [RegExp, string][] = [
  [/^(the )?(apache|asl)( software)?( licen[cs]e)?,?[ -]?(version |v)?\.?2(\.0)?$/i, 'Apache-2.0'],
  [/apache\.org\/licenses\/license-2\.0/i, 'Apache-2.0'],
  [/^(the )?(mit|expat)( licen[cs]e)?( \(mit\))?$|opensource\.org\/licenses\/mit\b|^mit\/x11$/i, 'MIT'],
  [
    /^(the )?(new|modified|revised|3-clause) bsd( licen[cs]e)?$|^bsd[ -]3([ -]clause)?( ".*")?( licen[cs]e)?$/i,
    'BSD-3-Clause',
  ],
  [/opensource\.org\/licenses\/bsd-3-clause|^(go|edl) license$|eclipse\.org\/org\/documents\/edl-v10/i, 'BSD-3-Clause'],
  [/^(the )?(simplified|2-clause) bsd( licen[cs]e)?$|^bsd[ -]2([ -]clause)?( ".*")?( licen[cs]e)?$/i, 'BSD-2-Clause'],
  [/^eclipse public licen[cs]e( -)?,? (version |v\.? ?)?1\.0$|eclipse\.org\/legal\/epl-v10/i, 'EPL-1.0'],
  [/^eclipse public licen[cs]e( -)?,? (version |v\.? ?)?2\.0$|eclipse\.org\/legal\/epl-(v)?20?\.?0/i, 'EPL-2.0'],
  [
    /^(gnu )?lesser general public licen[cs]e,?( version)? 2\.1$|gnu\.org\/licenses\/(old-licenses\/)?lgpl-2\.1/i,
    'LGPL-2.1-only',
  ],
  [/^mozilla public licen[cs]e,?( version)? 2\.0$|mozilla\.org\/(en-US\/)?MPL\/2\.0/i, 'MPL-2.0'],
  [/^(public domain,? per )?(creative commons )?cc0( 1\.0( universal)?)?$/i, 'CC0-1.0'],
  [/^zlib\/libpng$/i, 'Zlib'],
];

const nothing = /^(unlicensed|unknown|none|noassertion|custom|proprietary|see licen[cs]e.*|)$/i;
const spelling = new Map([...ids, ...deprecated].map((id) => [id.toLowerCase(), id]));

/**
 * Returns the SPDX license expression of the text: the text itself in the list's spelling where it is one, else by a
 * table of common names, else a `LicenseRef-` of that name. Undefined where the text has no meaning.
 */
export function readLicence(text: string): string | undefined {
  const trimmed = text.trim().replaceAll(/\s+/g, ' ');
  if (nothing.test(trimmed)) return undefined;
  const named = names.find(([pattern]) => pattern.test(trimmed))?.[1];
  return named ?? spellExpression(trimmed) ?? referTo(trimmed);
}

/** Returns `LicenseRef-` with the characters that SPDX allows; undefined for a long text instead of a name. */
export function referTo(name: string): string | undefined {
  const safe = name.replaceAll(/[^A-Za-z0-9.]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return safe === '' || name.length > 80 ? undefined : `LicenseRef-${safe}`;
}

/** Joins several expressions, sorted and each once; alternatives inside are kept together. Undefined without any. */
export function joinLicences(expressions: Iterable<string>, operator: 'AND' | 'OR'): string | undefined {
  const flat = [...expressions].flatMap((each) => (isFlat(each, operator) ? each.split(` ${operator} `) : each));
  const each = [...new Set(flat)].sort();
  if (each.length < 2) return each[0];
  return each.map((text) => (/ (AND|OR) /.test(text) ? `(${text})` : text)).join(` ${operator} `);
}

function isFlat(expression: string, operator: 'AND' | 'OR'): boolean {
  return !expression.includes('(') && !expression.includes(operator === 'AND' ? ' OR ' : ' AND ');
}

function spellExpression(text: string): string | undefined {
  const spelt = text.replaceAll(/[A-Za-z0-9.-]+/g, (word) => {
    if (/^(and|or|with)$/i.test(word)) return word.toUpperCase();
    return spelling.get(word.toLowerCase()) ?? word;
  });
  try {
    parse(spelt);
    return spelt;
  } catch {
    return undefined;
  }
}
