import type { AnyTarget, DeliveryInput } from '../../deliver/target.ts';
import { readImageTree } from '../../inspect/image-tree.ts';
import type { Deliverable } from './find-deliverable.ts';

/** Lets the target judge the image's files, where it wants to: only then are the layers read. */
export async function judgeFiles(
  kind: AnyTarget,
  input: DeliveryInput<unknown>,
  { readWhole }: Deliverable,
): Promise<void> {
  if (kind.judgeFiles === undefined) return;
  const tree = await readImageTree(await readWhole());
  const hasFolder = (path: string) =>
    tree.get(path)?.type === 'directory' || [...tree.keys()].some((each) => each.startsWith(`${path}/`));
  kind.judgeFiles(input, { hasFolder });
}
