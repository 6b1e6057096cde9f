export const runLabel = 'io.gbuild.run';

export const ownerLabel = 'io.gbuild.owner';

/**
 * Label with the name of the detached runs' record that knows whether the container can be attached again. Other
 * processes leave such a container alone.
 */
export const detachedRunsLabel = 'io.gbuild.keeper';
