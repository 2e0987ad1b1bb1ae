import {gzipSync} from 'node:zlib';

export type TarFile = {
  /** Relative path, at most 100 bytes. */
  readonly path: string;
  readonly content: string | Buffer;
  /** Default 0644. */
  readonly mode?: number;
};

const block = 512;

const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;

/** One entry as POSIX writes it (ustar), of root and of the first second of 1970, so that the same files give the same bytes. */
const entry = ({path, content, mode = 0o644}: TarFile): Buffer => {
  const body = Buffer.from(content);
  const header = Buffer.alloc(block);
  if (Buffer.byteLength(path) > 100) throw new Error(`too long a path for an archive: ${path}`);
  header.write(path, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(body.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\u000000', 257);
  header.write('root', 265);
  header.write('root', 297);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((block - (body.length % block)) % block)]);
};

/** A tar archive, compressed by gzip: what GNU tar and helm unpack. */
export const tarGz = (files: readonly TarFile[]): Buffer =>
  gzipSync(Buffer.concat([...files.map(entry), Buffer.alloc(2 * block)]), {level: 1});
