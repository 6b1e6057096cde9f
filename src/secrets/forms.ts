import type { Secret } from './secret.ts';

/** Least size of a value in bytes: a shorter one is found everywhere, and masking it would mask everything. */
export const leastSize = 6;

/**
 * Lists the forms in which one secret's value gets into a file or a log: plain, base64, URL-encoded, in JSON and in
 * XML. Each long line of base64 in it (a key's) is included too, because other files may indent it.
 */
export function listForms({ value }: Pick<Secret, 'value'>): Buffer[] {
  const bare = trimEnd(value);
  const forms = [bare, ...base64Forms(bare), ...percentForms(bare), ...textForms(bare)];
  forms.push(...linesOf(bare).filter((line) => /^[\w+/=-]{40,}$/.test(line.toString('latin1'))));
  return unique(forms.filter((form) => form.length >= leastSize));
}

/** Lists these forms, and each line of a value with several lines, because a log shows single lines. */
export function listMaskedForms(secret: Pick<Secret, 'value'>): Buffer[] {
  const lines = linesOf(trimEnd(secret.value)).filter((line) => line.length >= leastSize);
  return unique([...listForms(secret), ...lines]);
}

/** Removes final line ends: a file has one, and copies of its content may lack it. */
export function trimEnd(value: Buffer): Buffer {
  let end = value.length;
  while (end > 0 && (value[end - 1] === 10 || value[end - 1] === 13)) end -= 1;
  return value.subarray(0, end);
}

/**
 * Returns base64 of the value at any position in a longer text (RFC 4648): three alignments, without the characters
 * that neighbours also decide. Both alphabets are included, and lines as `base64` and PEM break them.
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

/**
 * Returns percent forms of RFC 3986, of encodeURIComponent and of HTML forms (a space is `+`), with digits in both
 * cases.
 */
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

/**
 * Returns the text in JSON and XML (reports), which escape quotes, brackets and line ends. Bytes that are no text have
 * no such forms.
 */
function textForms(value: Buffer): Buffer[] {
  const text = value.toString();
  if (!Buffer.from(text).equals(value)) return [];
  const content = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = content.replaceAll('"', '&quot;');
  const all = [JSON.stringify(text).slice(1, -1), content, quoted];
  const apostrophes = ['&apos;', '&#39;', '&#x27;'].map((form) => quoted.replaceAll("'", form));
  return [...all, ...apostrophes].map((form) => Buffer.from(form));
}

/** Returns the lines of a value with several lines, each without its indent. */
function linesOf(value: Buffer): Buffer[] {
  const lines = value.toString('latin1').split('\n');
  return lines.length === 1 ? [] : lines.map((line) => Buffer.from(line.trim(), 'latin1'));
}

function unique(forms: Buffer[]): Buffer[] {
  return [...new Map(forms.map((form) => [form.toString('latin1'), form])).values()];
}
