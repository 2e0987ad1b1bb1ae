import {ok} from '../result.ts';
import {lines, nothing, type Script, sh} from '../shell/script.ts';
import {
  aptEnvironment,
  ensureCandidates,
  explain,
  installing,
  waitForLocks,
  withoutStartingServices,
} from './apt-script.ts';
import {type Resource, resource, script} from './resource.ts';

export type AptOptions = {
  /** Services of these packages are not started by their installation, because they are not set up yet. */
  readonly withoutStarting?: boolean;
};

/** How dpkg sees one package: `ii ` is installed, `iF` and `iU` are half so, `rc` is removed with its configuration left. */
type Status = ReadonlyMap<string, string>;

const format = '${Package} ${db:Status-Abbrev}\\n';

/** Minutes of a slow mirror on a slow link; the engine follows it and an operator can end it. */
const longestInstallation = 45 * 60_000;

const isInstalled = (status: string | undefined): boolean => status?.charAt(1) === 'i';

/**
 * Debian packages that must be installed, in whatever version: an upgrade is not this resource's business. Nothing else
 * is upgraded, removed or restarted, no recommended package is added, and a configuration file that somebody changed stays.
 */
export const aptPackages = (names: readonly string[], {withoutStarting = false}: AptOptions = {}): Resource => {
  const wanted = [...new Set(names)].sort();
  for (const name of wanted)
    if (!/^[a-z0-9][a-z0-9+.-]+$/.test(name)) throw new Error(`not the name of a package: ${name}`);
  const list = wanted.join(', ');
  const missing = (status: Status) => wanted.filter(name => !isInstalled(status.get(name)));
  const install = (packages: readonly string[]): Script =>
    lines(
      aptEnvironment,
      explain,
      waitForLocks,
      withoutStarting ? withoutStartingServices : nothing,
      ensureCandidates(packages),
      installing(packages),
    );
  return resource<Status>({
    id: `packages ${wanted.join(' ')}`,
    doing: `installing packages ${list}`,
    // Status 1 for a name that dpkg does not know, which is an answer.
    probe: sh`dpkg-query --show ${`--showformat=${format}`} ${wanted} 2>/dev/null || :`,
    read: ({stdout}) =>
      ok(new Map([...stdout.matchAll(/^(\S+) (\S+)/gm)].map(([, name = '', status = '']) => [name, status]))),
    diff: status => {
      const half = wanted.filter(name => /^.[HUFWt]/.test(status.get(name) ?? ''));
      const fresh = missing(status).filter(name => !half.includes(name));
      return [
        ...(fresh.length > 0 ? [{summary: `install ${fresh.join(', ')}`}] : []),
        ...(half.length > 0 ? [{summary: `finish the interrupted installation of ${half.join(', ')}`}] : []),
      ];
    },
    apply: status => script(install(missing(status)), {detached: true, timeoutMs: longestInstallation}),
  });
};
