/** First line of every file that Groundwork writes and whose format has `#` comments; preflight knows ours by it. */
export const managedNote = '# Managed by Groundwork. Changes made here are overwritten.';

/** The text of a file of ours: the note, then the lines. */
export const managedFile = (...content: readonly (string | readonly string[])[]): string =>
  `${[managedNote, ...content.flat()].join('\n')}\n`;

/**
 * A setting as one word of a configuration file. The formats of nginx, dnsmasq, WireGuard and their like have no
 * quoting that works for every text, so anything beside the letters that names, addresses and paths are made of is
 * refused. The deployment's schema lets no such text through; what gets here all the same is a bug, hence the throw.
 */
export const word = (text: string | number): string => {
  const value = String(text);
  if (/^[A-Za-z0-9_.:/*@+=[\]-]+$/.test(value)) return value;
  throw new UnsafeText(value);
};

export class UnsafeText extends Error {
  constructor(value: string) {
    super(`not a plain word for a configuration file: ${JSON.stringify(value)}`);
    this.name = 'UnsafeText';
  }
}
