import fc from 'fast-check';

/** Characters that shells, here-documents, printf, awk, terminals and encodings treat as special, and some that none does. */
export const anyCharacter = fc.constantFrom(
  ...'abz09_.-/ ',
  ...'\'"`$\\!*?[]{}()<>|&;#~%=^:,@+',
  ...'\t\n\r\u0001\u0007\u001b\u007f\u0085\u00a0',
  ...'äßé€語🙂\u202e\ufeff\uffff',
);
