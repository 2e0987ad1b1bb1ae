import type {KubeObject} from '../../source/kubernetes/objects.ts';

type Rule = {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
};

const look = ['get', 'list', 'watch'] as const;
const change = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;

/** What somebody works with who runs services. Secrets are in none of them, on purpose. */
const workloads: readonly Omit<Rule, 'verbs'>[] = [
  {
    apiGroups: [''],
    resources: [
      'configmaps',
      'persistentvolumeclaims',
      'pods',
      'replicationcontrollers',
      'serviceaccounts',
      'services',
    ],
  },
  {
    apiGroups: ['apps'],
    resources: [
      'daemonsets',
      'deployments',
      'deployments/scale',
      'replicasets',
      'replicasets/scale',
      'statefulsets',
      'statefulsets/scale',
    ],
  },
  {apiGroups: ['autoscaling'], resources: ['horizontalpodautoscalers']},
  {apiGroups: ['batch'], resources: ['cronjobs', 'jobs']},
  {apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies']},
  {apiGroups: ['policy'], resources: ['poddisruptionbudgets']},
];

/** What explains why something does not run. */
const explanations: Rule = {
  apiGroups: [''],
  resources: ['endpoints', 'events', 'limitranges', 'namespaces', 'pods/log', 'pods/status', 'resourcequotas'],
  verbs: look,
};

const template = (name: string, displayName: string, description: string, rules: readonly Rule[]): KubeObject => ({
  apiVersion: 'management.cattle.io/v3',
  kind: 'RoleTemplate',
  metadata: {name},
  context: 'project',
  displayName,
  description,
  administrative: false,
  builtin: false,
  external: false,
  hidden: false,
  locked: false,
  rules,
});

export const projectRoles = {member: 'project-member-no-secrets', reader: 'project-readonly-no-secrets'} as const;

/** Roles of an environment's people that see no passwords: Rancher's own roles for projects show every Secret. */
export const roleTemplates: readonly KubeObject[] = [
  template(
    projectRoles.member,
    'Project Member (No Secrets)',
    'Runs and changes what is in the project; sees no Secrets.',
    [
      ...workloads.map(rule => ({...rule, verbs: change})),
      {apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['create', 'get']},
      explanations,
    ],
  ),
  template(
    projectRoles.reader,
    'Read-Only (No Secrets)',
    'Looks at what is in the project; sees no Secrets and opens no terminals.',
    [...workloads.map(rule => ({...rule, verbs: look})), explanations],
  ),
];
