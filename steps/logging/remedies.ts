import type {Remedy} from '../../source/engine/step.ts';

export const loggingRemedies: readonly Remedy[] = [
  {
    id: 'store-password',
    match: /InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied.*(chunks|bucket)/i,
    cause: 'Loki and its store have different passwords: one of them was started before the password changed.',
    remedy: 'Run `kubectl -n observability rollout restart statefulset`, then retry.',
  },
  {
    id: 'store-missing',
    match: /NoSuchBucket|failed to (get|list) (s3 )?objects?.*(connection refused|no such host)/i,
    cause: 'Loki does not reach its store, or the store has lost its directories.',
    remedy: 'See `kubectl -n observability get pods`; restart the statefulset loki-object-store, then retry.',
    transient: true,
  },
  {
    id: 'store-permission',
    match: /mkdir: cannot create directory ['‘]?\/data|file access denied|unable to (write|rename).*\/data/i,
    cause: 'The volume of the log store belongs to somebody else than the store’s own user (1000).',
    remedy:
      'On the storage host, give the volume’s directory to the group 1000 (chgrp -R 1000, chmod -R g+rwX), then retry.',
  },
  {
    id: 'store-smaller',
    match: /can not be less than (previous value|status\.capacity)/i,
    cause: 'The log store was larger before, and a volume cannot become smaller.',
    remedy: 'Choose the former size of the logging in the deployment, then retry.',
  },
  {
    id: 'loki-configuration',
    match: /error loading config|failed parsing config|CONFIG ERROR/i,
    cause: 'Loki does not accept its settings.',
    remedy: 'See `kubectl -n observability logs loki-0 --tail=20`. If you changed nothing, choose `versions: default`.',
  },
  {
    id: 'collector-configuration',
    match:
      /(cannot|failed to) (unmarshal|build|get config|load).*(configuration|pipelines|receivers|exporters|processors)|unknown type: "/i,
    cause:
      'A collector does not accept its settings, usually because it is of another version than they were written for.',
    remedy: 'Choose versions that go together: `versions: default` in the deployment, then retry.',
  },
  {
    id: 'no-lines',
    match: /expected .*kube-system.*, got/,
    cause: 'Loki runs, and no lines come in: an agent does not run, or cannot reach the gateway or Loki.',
    remedy:
      'See `kubectl -n observability logs daemonset/otel-agent --tail=20`. After a first start it takes up to a minute: verify once more.',
    transient: true,
  },
];
