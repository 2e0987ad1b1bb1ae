/** Bytes of a file that is read, and of all that a ZIP archive unpacks to: hundreds of certificates fit into it. */
export const largestFile = 1024 * 1024;

/** Files that are read together. */
export const mostFiles = 50;
