import type { Frame } from './demux.ts';

/** Size in bytes up to which an engine keeps a line in one piece. */
const longestPiece = 16 * 1024;

/**
 * Restores line ends that the `local` log loses after the last piece of a split line. A short piece without a line end,
 * with more output after it, was the last one of its line. (A line of a whole number of pieces looks like an unfinished
 * one: its line end stays lost.)
 */
export class LineEnds {
  readonly #pieces = { stdout: { length: 0, isOpen: false }, stderr: { length: 0, isOpen: false } };

  /** Whether a line end is missing before this frame. */
  isMissingBefore({ stream, data, isLast }: Frame): boolean {
    const piece = this.#pieces[stream];
    const isMissing = piece.isOpen;
    piece.length += data.length;
    piece.isOpen = isLast && piece.length < longestPiece && data.at(-1) !== 10;
    if (isLast) piece.length = 0;
    return isMissing;
  }
}

export const lineEnd = Buffer.from('\n');
