export const runLabel = 'io.gbuild.run';

export const ownerLabel = 'io.gbuild.owner';

/** Label with the memory of detached runs that knows whether somebody may come back to the container; others leave it alone. */
export const detachedRunsLabel = 'io.gbuild.keeper';
