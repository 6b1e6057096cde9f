import type { PathKey } from '../../../spec/types.ts';
import { isMapping } from '../../template.ts';

/** Image of a container, with its place in the manifest. */
export interface ContainerImage {
  path: PathKey[];
  image: string;
}

/**
 * Finds the images of containers where kustomize replaces them: below `containers` and `initContainers`, at any depth
 * and in any kind of object but a CustomResourceDefinition. A JSON patch names them in its operations.
 */
export function findImages(value: unknown): ContainerImage[] {
  if (Array.isArray(value) && value.every(isOperation)) return value.flatMap(findInOperation);
  return isMapping(value) && value.kind === 'CustomResourceDefinition' ? [] : findBelow(value, []);
}

const containerKeys = ['containers', 'initContainers'];

function findBelow(value: unknown, path: PathKey[]): ContainerImage[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => findBelow(each, [...path, index]));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const own = containerKeys.includes(key) && Array.isArray(each) ? listContainers(each, [...path, key]) : [];
    return [...own, ...findBelow(each, [...path, key])];
  });
}

function listContainers(containers: readonly unknown[], path: PathKey[]): ContainerImage[] {
  return containers.flatMap((container, index) =>
    isMapping(container) && typeof container.image === 'string'
      ? [{ path: [...path, index, 'image'], image: container.image }]
      : [],
  );
}

interface Operation {
  op: string;
  path: string;
  value?: unknown;
}

function isOperation(value: unknown): value is Operation {
  return isMapping(value) && typeof value.op === 'string' && typeof value.path === 'string';
}

/** Finds the images of an operation: the text that it sets, or those of the containers that it adds. */
function findInOperation({ path, value }: Operation, index: number): ContainerImage[] {
  const at = [index, 'value'];
  if (typeof value === 'string') return path.endsWith('/image') ? [{ path: at, image: value }] : [];
  const isContainer =
    /\/(?:initC|c)ontainers\/[^/]+$/.test(path) && isMapping(value) && typeof value.image === 'string';
  return isContainer ? [{ path: [...at, 'image'], image: value.image as string }] : findBelow(value, at);
}
