/** Fingerprint of a file whose state is not known. Comparisons treat it as unequal to every fingerprint, itself included. */
export const unknownFingerprint = '?';
