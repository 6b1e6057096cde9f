/** Formats processors as a quantity: `2`, `500m`. A thousandth is the least that Kubernetes knows. */
export function formatCpu(processors: number): string {
  const thousandths = Math.max(1, Math.round(processors * 1000));
  return thousandths % 1000 === 0 ? `${thousandths / 1000}` : `${thousandths}m`;
}

const units = ['Gi', 'Mi', 'Ki'].map((unit, index) => [unit, 1024 ** (3 - index)] as const);

/** Formats bytes as a quantity, exactly: `512Mi`. */
export function formatMemory(bytes: number): string {
  const [unit, size] = units.find(([, each]) => bytes % each === 0) ?? ['', 1];
  return `${bytes / size}${unit}`;
}
