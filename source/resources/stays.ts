import {err, ok} from '../result.ts';
import {type Script, sh} from '../shell/script.ts';
import {type Resource, resource, type Stay} from './resource.ts';

/** A resource that changes nothing: it tells those who decide about a removal what stays, if it is there. */
const telling = (id: string, probe: Script, read: (stdout: string) => readonly Stay[]): Resource =>
  resource<readonly Stay[]>({
    id: `stays ${id}`,
    doing: `looking at ${id}`,
    probe,
    read: ({stdout, code}) => (code === 0 ? ok(read(stdout)) : err(`whether ${id} is there could not be read`)),
    diff: () => [],
    stays: state => state,
    apply: () => async () => ok(),
  });

/**
 * Packages of the distribution stay: nobody can tell whether a program that came later needs them, and removing a server's
 * package may remove its data (PostgreSQL asks nobody when it runs without a terminal).
 */
export const packagesStay = (names: readonly string[]): Resource => {
  const wanted = [...new Set(names)].sort();
  return telling(
    `packages ${wanted.join(' ')}`,
    sh`dpkg-query --show ${'--showformat=${Package} ${db:Status-Abbrev}\\n'} ${wanted} 2>/dev/null || :`,
    stdout => {
      const installed = [...stdout.matchAll(/^(\S+) .i/gm)].map(([, name = '']) => name);
      return installed.length === 0
        ? []
        : [{kind: 'packages', what: installed.join(' '), why: 'other programs may need them by now'}];
    },
  );
};

export type OtherStay = {
  /** Exit status 0: it is there. */
  readonly when: Script;
  readonly what: string;
  readonly why: string;
};

/** Anything else that stays, with the reason. */
export const stays = ({when, what, why}: OtherStay): Resource =>
  telling(what, sh`if ( ${when} ) >/dev/null 2>&1; then echo yes; fi`, stdout =>
    stdout.trim() === 'yes' ? [{kind: 'other', what, why}] : [],
  );
