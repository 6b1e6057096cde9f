import type { Secret } from './secret.ts';

/** A value shorter than this is found everywhere, and masking it would mask everything. Bytes. */
export const leastSize = 6;

/**
 * The ways in which one secret's value gets into a file or a log: as it is, in base64, URL-encoded, in JSON and in XML; and
 * each long line of base64 in it (a key's), which may be indented elsewhere.
 */
export function listForms({ value }: Pick<Secret, 'value'>): Buffer[] {
  const bare = trimEnd(value);
  const forms = [bare, ...base64Forms(bare), ...percentForms(bare), ...textForms(bare)];
  forms.push(...linesOf(bare).filter((line) => /^[\w+/=-]{40,}$/.test(line.toString('latin1'))));
  return unique(forms.filter((form) => form.length >= leastSize));
}

/** The same and, of a value of several lines, each line: a log shows them one by one. */
export function listMaskedForms(secret: Pick<Secret, 'value'>): Buffer[] {
  const lines = linesOf(trimEnd(secret.value)).filter((line) => line.length >= leastSize);
  return unique([...listForms(secret), ...lines]);
}

/** Less the line ends at its end: a file has one there, and what is made of the file has not. */
export function trimEnd(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 10 || value[end - 1] === 13)) end -= 1;
  return value.subarray(0, end);
}

/**
 * Base64 of the value wherever it stands in a longer text (RFC 4648): three alignments, less the characters that its
 * neighbours decide too; in both alphabets, and in lines as `base64` and PEM break them.
 */
function base64Forms(value: Buffer): Buffer[] {
  const texts = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), value]).toString('base64');
    return text.slice(Math.ceil((before * 4) / 3), Math.floor(((before + value.length) * 4) / 3));
  });
  const broken = [64, 76].map((width) => texts[0]!.replace(new RegExp(`.{${width}}(?=.)`, 'g'), '$&\n'));
  const all = [...texts, ...broken];
  return [...all, ...all.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))].map((text) =>
    Buffer.from(text, 'latin1'),
  );
}

/** Percent forms of RFC 3986, of encodeURIComponent and of forms (a space is `+`), with digits in both cases. */
function percentForms(value: Buffer): Buffer[] {
  const kept = [/[\w.~-]/, /[\w.~!*'()-]/, /[\w.*-]/];
  const texts = kept.map((pattern) => encodePercent(value, pattern));
  const all = [...texts, ...texts.map((text) => text.replaceAll('%20', '+'))];
  return [...all, ...all.map((text) => text.replace(/%../g, (code) => code.toLowerCase()))].map((text) =>
    Buffer.from(text, 'latin1'),
  );
}

function encodePercent(value: Buffer, kept: RegExp): string {
  return [...value]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return kept.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** Text forms of JSON and XML (reports) for quotes, brackets and line ends; bytes that are no text have no such forms. */
function textForms(value: Buffer): Buffer[] {
  const text = value.toString();
  if (!Buffer.from(text).equals(value)) return [];
  const content = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = content.replaceAll('"', '&quot;');
  const all = [JSON.stringify(text).slice(1, -1), content, quoted];
  const apostrophes = ['&apos;', '&#39;', '&#x27;'].map((form) => quoted.replaceAll("'", form));
  return [...all, ...apostrophes].map((form) => Buffer.from(form));
}

/** Lines of a value of several lines, each without its indent. */
function linesOf(value: Buffer): Buffer[] {
  const lines = value.toString('latin1').split('\n');
  return lines.length === 1 ? [] : lines.map((line) => Buffer.from(line.trim(), 'latin1'));
}

function unique(forms: Buffer[]): Buffer[] {
  return [...new Map(forms.map((form) => [form.toString('latin1'), form])).values()];
}
