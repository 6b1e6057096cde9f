import type { Frame } from './demux.ts';

/** Bytes up to which an engine keeps a line as one piece. */
const longestPiece = 16 * 1024;

/**
 * The log of kind `local` forgets the line end behind the last piece of a line that it cut. That piece is told by what follows
 * it: one that is short and has no line end is otherwise the last of all. (A line of a whole number of pieces is not known from
 * an unfinished one: its line end stays lost.)
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
