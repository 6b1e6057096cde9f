/**
 * Fingerprint of a file with an unknown state. Comparisons treat it as unequal to every fingerprint, itself included.
 */
export const unknownFingerprint = '?';
