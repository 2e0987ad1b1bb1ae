/** What can be imported is written by hand or by a script; the largest of them have a tenth of this. */
export const largestBytes = 262_144;

const controlCharacter = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f]/u;

/** Why a text cannot be a file of settings, read on after its path; undefined when it can. */
export const unreadable = (text: string): string | undefined => {
  if (Buffer.byteLength(text) > largestBytes)
    return ` is larger than ${largestBytes / 1024} KiB; that is no file of settings`;
  if (text.includes('\0') || text.includes('\ufffd')) return ' is no text';
  const found = controlCharacter.exec(text);
  if (found) {
    const line = text.slice(0, found.index).split('\n').length;
    const code = text.codePointAt(found.index)?.toString(16).padStart(4, '0').toUpperCase();
    return `, line ${line}: there is a control character (U+${code}) in it; that is no file of settings`;
  }
  return text.trim() === '' ? ' is empty' : undefined;
};
