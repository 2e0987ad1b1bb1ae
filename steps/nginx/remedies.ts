import type {Remedy} from '../../source/engine/step.ts';

export const nginxRemedies: readonly Remedy[] = [
  {
    id: 'nginx-port',
    match: /bind\(\) to .*:(80|443) failed \(98/i,
    cause: 'Another program holds port 80 or 443, often Apache or a Kubernetes ingress.',
    remedy: 'See which with `ss -tlpn "( sport = :80 or sport = :443 )"`, stop and disable it, then retry.',
  },
  {
    id: 'nginx-default-server',
    match: /duplicate default server/i,
    cause: 'Another site of this nginx also wants to be the one that answers for unknown names.',
    remedy:
      'Take `default_server` out of that site’s `listen` lines in /etc/nginx/sites-enabled or conf.d, then retry.',
  },
  {
    id: 'nginx-certificate',
    match: /cannot load certificate|key values mismatch/i,
    cause: 'The certificate of the platform is missing or does not belong to its key.',
    remedy: 'Retry the step “CA and certificates” on this host, then this one.',
  },
  {
    id: 'nginx-ipv6',
    match: /socket\(\) \[::\]:\d+ failed \(97/i,
    cause: 'IPv6 was switched off on the host after it was inspected.',
    remedy: 'Start the run again: the host is inspected anew, and nginx then listens on IPv4 only.',
  },
  {
    id: 'nginx-configuration',
    match: /\[emerg\]/,
    cause: 'nginx does not accept its settings together with those that were there before.',
    remedy: 'The line that begins with [emerg] names file and line. Put that file right on the host, then retry.',
  },
  {
    id: 'curl-resolve',
    match: /expected ok, got .*403 forbidden/i,
    cause: 'nginx refuses the host’s own private address: it lies outside the private subnet of the deployment.',
    remedy: 'Compare the host’s private address with the private subnet in the deployment, and change the wrong one.',
  },
];
