import {createHash} from 'node:crypto';
import type {Environment} from '../../source/deployment/schema.ts';
import {kubeEnvironment} from '../../source/kubernetes/access.ts';
import {type Resource, resource, script} from '../../source/resources/resource.ts';
import {err, ok} from '../../source/result.ts';
import {lines, sh} from '../../source/shell/script.ts';
import {environmentLabel, labelsOf} from './names.ts';

/** The two templates of the platform's Rancher step: everything in a project but its Secrets, and looking only. */
const roleTemplates = {member: 'project-member-no-secrets', 'read-only': 'project-readonly-no-secrets'} as const;

const bindings = 'projectroletemplatebindings.management.cattle.io';

/** Projects of the cluster that Rancher itself runs on. Rancher's own names begin with `p-` too. */
export const projectName = ({name}: Pick<Environment, 'name'>): string => `p-${name}`;

type Binding = {readonly name: string; readonly principal: string; readonly role: string};

/** Bindings cannot be changed once they are there, so their name says all of them. */
const nameOf = (environment: Environment, principal: string, role: string): string =>
  `${environment.name}-${createHash('sha256').update(`${principal} ${role}`).digest('hex').slice(0, 10)}`;

const wanted = (environment: Environment): readonly (Binding & {readonly kind: 'user' | 'group'})[] =>
  environment.members.map(({principal, kind, role}) => ({
    name: nameOf(environment, principal, role),
    principal,
    kind,
    role: roleTemplates[role],
  }));

type BindingObject = {
  readonly metadata: {readonly name: string};
  readonly userPrincipalName?: string;
  readonly groupPrincipalName?: string;
  readonly roleTemplateName?: string;
};

const readBindings = (text: string): readonly Binding[] =>
  (JSON.parse(text) as {readonly items: readonly BindingObject[]}).items.map(
    ({metadata: {name}, userPrincipalName, groupPrincipalName, roleTemplateName}) => ({
      name,
      principal: userPrincipalName ?? groupPrincipalName ?? 'nobody',
      role: roleTemplateName ?? 'nothing',
    }),
  );

/**
 * Who may work in the project: exactly these, as far as Groundwork made the binding. It lies in the namespace that
 * Rancher made for the project, which has the project's name unless its status says another.
 */
export const projectMembers = (environment: Environment): Resource => {
  const mine = wanted(environment);
  const project = projectName(environment);
  return resource<readonly Binding[]>({
    id: `members of ${environment.name}`,
    doing: 'binding roles in the Rancher project',
    probe: lines(
      kubeEnvironment,
      sh`kubectl get crd ${bindings} >/dev/null 2>&1 || { echo '{"items":[]}'; exit 0; }`,
      sh`kubectl get ${bindings} --all-namespaces --selector ${`${environmentLabel}=${environment.name}`} --output json`,
    ),
    read: ({code, stdout, stderr}) => {
      if (code !== 0) return err(`kubectl cannot list the project's bindings: ${stderr.trim()}`);
      try {
        return ok(readBindings(stdout));
      } catch {
        return err('kubectl printed no JSON');
      }
    },
    diff: there => [
      ...mine
        .filter(({name}) => !there.some(other => other.name === name))
        .map(({principal, role}) => ({summary: `let ${principal} in as ${role}`})),
      ...there
        .filter(({name}) => !mine.some(other => other.name === name))
        .map(({principal, role}) => ({summary: `let ${principal} in as ${role} no more`})),
    ],
    apply: there =>
      script(
        lines(
          kubeEnvironment,
          sh`set -e`,
          sh`space=$(kubectl get projects.management.cattle.io ${project} --namespace local --output 'jsonpath={.status.backingNamespace}')`,
          sh`[ -n "$space" ] || space=${project}`,
          ...there
            .filter(({name}) => !mine.some(other => other.name === name))
            .map(({name}) => sh`kubectl delete ${bindings} ${name} --namespace "$space" --ignore-not-found`),
          ...mine.map(
            ({name, principal, kind, role}) =>
              sh`printf '%s' ${JSON.stringify({
                apiVersion: 'management.cattle.io/v3',
                kind: 'ProjectRoleTemplateBinding',
                metadata: {name, labels: labelsOf(environment)},
                projectName: `local:${project}`,
                roleTemplateName: role,
                ...(kind === 'user' ? {userPrincipalName: principal} : {groupPrincipalName: principal}),
              })} | kubectl apply --server-side --field-manager=groundwork --force-conflicts --namespace "$space" --filename -`,
          ),
        ),
        {timeoutMs: 120_000},
      ),
  });
};
