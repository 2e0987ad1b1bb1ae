/**
 * Every setting that OpenG2P's scripts know, by the kind of file, typed from what is known about them and not from our
 * tables: one that is forgotten there is missed by the tests.
 */
const observability = [
  ...['loki_retention_hours', 'loki_minio_root_user', 'loki_minio_root_password', 'loki_minio_size'],
  ...['alert_slack_webhook_url', 'alert_slack_channel', 'alert_smtp_smarthost', 'alert_smtp_from'],
  ...[
    'alert_smtp_username',
    'alert_smtp_password',
    'alert_smtp_to',
    'alert_telegram_bot_token',
    'alert_telegram_chat_id',
  ],
  ...['ai_enabled', 'ai_openrouter_api_key', 'ai_model'],
];

const sandbox = [
  ...['node_ip', 'node_name', 'cluster_name', 'public_access', 'rke2_version', 'rke2_token'],
  ...['wireguard.endpoint', 'wireguard.subnet', 'wireguard.port', 'wireguard.peers'],
  ...['rancher.version', 'rancher.replicas'],
];

const charts = ['chart_name', 'chart_path', 'chart_repo', 'chart_version', 'extra_helm_args'];

export const keysOf: Readonly<Record<string, readonly string[]>> = {
  'prod-config': [
    ...['cluster_name', 'public_domain', 'rancher_hostname', 'keycloak_hostname'],
    ...['tls_wildcard_cert', 'tls_wildcard_key', 'tls_wildcard_chain', 'tls_wildcard_password'],
    ...['tls_rancher_cert', 'tls_rancher_key', 'tls_rancher_chain', 'tls_rancher_password'],
    ...['tls_keycloak_cert', 'tls_keycloak_key', 'tls_keycloak_password'],
    ...['rp_public_ip', 'rp_private_ip', 'rp_internal_ip', 'rp_ssh_host', 'rp_ssh_user', 'rp_ssh_key'],
    ...['compute_private_ip', 'compute_node_name', 'compute_ssh_host', 'compute_ssh_user', 'compute_ssh_key'],
    ...['storage_private_ip', 'storage_node_name', 'storage_ssh_host', 'storage_ssh_user', 'storage_ssh_key'],
    ...['ssh_jump_via_rp', 'private_subnet', 'admin_cidr'],
    ...['wg_endpoint', 'wg_subnet', 'wg_port', 'wg_peers', 'wg_peer_dns'],
    ...[
      'rke2_version',
      'rke2_token',
      'rancher_version',
      'rancher_replicas',
      'keycloak_replicas',
      'keycloak_admin_email',
    ],
    ...observability,
    ...['postgres_version', 'postgres_listen', 'postgres_port', 'postgres_superuser_password'],
    ...['nfs_export_path', 'nfs_mount_path', 'install_environment'],
    ...['environment.name', 'environment.base_domain', 'environment.install_commons', 'environment.commons_version'],
    ...['environment.admin_email', 'environment.kafka_hostname', 'environment.minio_hostname'],
    ...['environment.superset_hostname', 'environment.odk_hostname', 'environment.iam_hostname'],
    ...['environment.staff_portal_hostname', 'environment.staff_portal_api_hostname'],
  ],
  'provision-output': [
    ...['rp_public_ip', 'rp_private_ip', 'rp_ssh_host', 'rp_ssh_user', 'rp_ssh_key'],
    ...['compute_private_ip', 'compute_ssh_host', 'compute_ssh_user', 'compute_ssh_key'],
    ...['storage_private_ip', 'storage_ssh_host', 'storage_ssh_user', 'storage_ssh_key'],
    ...['private_subnet', 'admin_cidr', 'wg_endpoint', 'wg_port', 'wg_peer_dns'],
    ...['backup_private_ip', 'backup_ssh_host', 'backup_ssh_user', 'backup_ssh_key'],
  ],
  'infra-config': [...sandbox, 'local_domain', 'wireguard.cluster_subnet', ...observability],
  'single-node-config': [
    ...sandbox,
    ...['domain', 'ssh_host', 'ssh_user', 'ssh_key'],
    ...['tls.email', 'tls.dns_provider', 'tls.api_token', 'tls.cf_account_id', 'tls.publish_a_records', 'tls.staging'],
    ...['tls.aws_access_key_id', 'tls.aws_secret_access_key'],
    ...['tls.acmedns_base_url', 'tls.acmedns_username', 'tls.acmedns_password', 'tls.acmedns_subdomain'],
  ],
  'env-config': [
    ...['environment', 'base_domain', 'admin_email', 'infra_config', 'sandbox_config'],
    ...charts.map(key => `commons_base.${key}`),
    ...charts.map(key => `commons_services.${key}`),
    ...['modules.commons', 'modules.registry', 'modules.pbms', 'modules.spar', 'modules.g2p_bridge'],
  ],
  'backup-config': [
    ...['prod_config', 'backup_private_ip', 'backup_ssh_host', 'backup_ssh_user', 'backup_ssh_key', 'backup_repo_root'],
    ...['restic_passphrase_file', 'pgbackrest_passphrase_file', 'etcd_at_rest_key_file'],
    ...['pg', 'etcd', 'rancher', 'nfs', 'configs', 'objectstore'].map(key => `groups.${key}`),
    ...['pg_full_count', 'pg_diff_count', 'pg_wal_days', 'etcd_snapshot_count', 'rancher_backup_count'].map(
      key => `retention.${key}`,
    ),
    ...['keep_daily', 'keep_weekly', 'keep_monthly'].map(key => `retention.${key}`),
    ...['pg_full', 'pg_diff', 'etcd_pull', 'rancher', 'nfs', 'configs', 'objectstore'].map(key => `schedules.${key}`),
    ...['drill', 'wal_health', 'daily_report'].map(key => `schedules.${key}`),
    ...['stanza_name', 'parallel_jobs', 'archive_timeout_seconds', 'canary_table'].map(key => `pg.${key}`),
    ...['export_root', 'paths', 'excludes', 'path1', 'exclude1'].map(key => `nfs.${key}`),
    ...['resource_set.name', 'etcd_encryption.enabled'],
    ...['versions.pgbackrest', 'versions.restic', 'versions.rancher_backup_chart'],
    ...['rancher.pvc_storage_class', 'rancher.pvc_size'],
    ...['enabled', 'instance', 'namespace', 'apply_prometheusrule', 'pushgateway_url'].map(key => `monitoring.${key}`),
    // Written below monitoring.wal, which the scripts' parser does not see.
    ...['max_size_bytes', 'max_archive_age_seconds', 'max_failed_count'].map(key => `monitoring.${key}`),
    ...['email_enabled', 'smtp_env_file', 'cron_mailto', 'mail_to'].map(key => `alerting.${key}`),
    ...['rclone_conf', 'rclone_remote', 'bucket', 'mount_point', 'restic_password_file', 'restic_tag'].map(
      key => `objectstore.${key}`,
    ),
    ...['objectstore.keep_daily', 'objectstore.keep_weekly'],
  ],
  'deployment-plan': [
    ...['organization', 'nginx_node_ip', 'nginx_internal_ip', 'rancher_hostname', 'keycloak_hostname', 'environments'],
    ...['env_dev_base_domain', 'env_qa_base_domain', 'cert_base_path', 'ssh_user', 'admin_workstation_cidr'],
  ],
  'add-node-config': [
    ...[
      'server_url',
      'rke2_token',
      'rke2_version',
      'node_ip',
      'node_name',
      'node_role',
      'vpc_subnet',
      'wireguard_subnet',
    ],
  ],
  'aws-config': [
    ...['project', 'region', 'vpc_id', 'subnet_id', 'admin_cidr', 'key_mode', 'key_name', 'key_path', 'ubuntu_ami'],
    ...['rp', 'compute', 'storage'].flatMap(machine =>
      ['instance_type', 'disk_gb', 'disk_iops', 'disk_throughput', 'name', 'sg_name'].map(key => `${machine}_${key}`),
    ),
    ...['wg_port', 'provision_output_file', 'backup_node.enabled', 'backup_node.data_disk_gb'],
  ],
};
