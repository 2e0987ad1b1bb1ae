/**
 * sha256 of published files that were learnt from a second source, by address. What is not here is checked against the
 * file of checksums that its publisher puts beside it.
 */
export const pinnedChecksums: Readonly<Record<string, string>> = {};
