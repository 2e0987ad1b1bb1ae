const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no room left',
  EDQUOT: 'your quota is used up',
  EROFS: 'it can only be read',
  EACCES: 'the rights there do not allow it',
  EPERM: 'the rights there do not allow it',
  EIO: 'the disk reports an error',
  ENOTDIR: 'a file is in the way where a folder should be',
  EMFILE: 'too many files are open',
};

/** Something on this side's disk is not as it must be. It is nobody's bug, and said without a stack. */
export class FileFault extends Error {}

/** What a fault of this side's file system means for the operator; undefined when the error is another one. */
export const fileFaultOf = (error: unknown): string | undefined => {
  if (error instanceof FileFault) return error.message;
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  // Node says ENOENT when it may not make the folders above.
  const cannotMake = error.code === 'ENOENT' && error.syscall === 'mkdir';
  const reason = cannotMake ? 'its folder cannot be made' : reasons[String(error.code)];
  if (reason === undefined) return undefined;
  const where = 'path' in error ? String(error.path) : 'A file of Groundwork';
  return `${where} cannot be written: ${reason}. Make room or correct the rights, or set GROUNDWORK_HOME to another folder; then start it again.`;
};
