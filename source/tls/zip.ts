import {buffer} from 'node:stream/consumers';
import {type Entry, fromBufferPromise} from 'yauzl';
import {err, ok, type Result} from '../result.ts';
import {largestFile} from './limits.ts';

/** What a CA packs: a certificate, its chain in two forms, instructions. */
const mostEntries = 100;

export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03 && bytes[3] === 0x04;

/** Folders, and what file systems leave behind in archives. */
const isDebris = ({fileName}: Entry): boolean => /\/$|(^|\/)(__MACOSX\/|\.DS_Store$|\._)/.test(fileName);

export type ZippedFile = {readonly name: string; readonly bytes: Buffer};

/**
 * The files of a ZIP archive, in memory: nothing is unpacked to a disk, so names lead nowhere. Refused are archives that
 * hold more than any CA sends, whatever they claim about it, and encrypted ones. The error reads on after a file's name.
 */
export const readZip = async (bytes: Uint8Array): Promise<Result<readonly ZippedFile[], string>> => {
  try {
    const zip = await fromBufferPromise(Buffer.from(bytes), {lazyEntries: true});
    if (zip.entryCount > mostEntries) return err(`is a ZIP archive of ${zip.entryCount} files, which no CA sends`);
    const entries: Entry[] = [];
    for await (const entry of zip.eachEntry()) if (!isDebris(entry)) entries.push(entry);
    if (entries.some(entry => entry.isEncrypted()))
      return err('is a ZIP archive with a password: unpack it, and name the files that were in it');
    if (entries.reduce((sum, {uncompressedSize}) => sum + uncompressedSize, 0) > largestFile)
      return err(`is a ZIP archive that unpacks to more than ${largestFile / 1024} KiB, which no CA sends`);
    const files: ZippedFile[] = [];
    // A stream that gives more than its entry claims ends with an error.
    for (const entry of entries)
      files.push({name: entry.fileName, bytes: await buffer(await zip.openReadStreamPromise(entry))});
    return ok(files);
  } catch {
    return err('is a ZIP archive that is damaged, was cut off, or holds something else than it claims');
  }
};
