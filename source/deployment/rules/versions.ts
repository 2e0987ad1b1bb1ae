import {versionProblems, versionSetOf, versionSets} from '../../blueprints/versions.ts';
import {error, type Rule} from './rule.ts';

/** Only sets of versions that are known, and nothing in them that does not go together. */
export const versionsTogether: Rule = ({components: {kubernetes}}) => {
  if (kubernetes === undefined) return [];
  const path = 'components.kubernetes.versions';
  const set = versionSetOf(kubernetes.versions);
  if (set === undefined) {
    const known = ['default', ...versionSets.map(({id}) => id)].join(', ');
    return [error(path, `there is no set of versions "${kubernetes.versions}"; there are ${known}`)];
  }
  return versionProblems(set).map(({reason}) => error(path, reason));
};
