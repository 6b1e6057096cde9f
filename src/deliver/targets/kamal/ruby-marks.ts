/** Text in which Ruby between `<%` and `%>` is replaced by as many letters that YAML takes for a word. */
export interface MaskedText {
  text: string;
  /** Puts the Ruby back, also after the text was formatted again. */
  restore(text: string): string;
}

/** Letters of Unicode's private use: one begins a mask, one says which, and one fills it up. */
const begin = '\uE000';
const filler = '\uE001';
const firstNumber = 0xe100;

/** Masks Ruby: what is between its marks may break YAML, such as `<%= a ? "b" : "c" %>`. */
export function maskRuby(text: string): MaskedText {
  const pieces: string[] = [];
  const masked = text.replaceAll(/<%(?!%).*?%>/g, (piece) => {
    const number = String.fromCharCode(firstNumber + pieces.push(piece) - 1);
    return begin + number + filler.repeat(piece.length - 2);
  });
  const mask = new RegExp(`${begin}([\\uE100-\\uF8FF])${filler}*`, 'g');
  const restore = (formatted: string) =>
    formatted.replaceAll(mask, (whole, number: string) => pieces[number.charCodeAt(0) - firstNumber] ?? whole);
  return { text: masked, restore };
}

/** Escapes the marks of ERB, which Kamal runs over the whole file. */
export function escapeRuby(text: string): string {
  return text.replaceAll('<%', '<%%');
}
