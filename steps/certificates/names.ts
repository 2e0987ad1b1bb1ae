/** A name that a certificate for a wildcard must cover: `*.` stands for any one label. */
export const exampleOf = (name: string): string => name.replace(/^\*/, 'any-name');
