import {databasePlaceOf, environmentDomain, hostnameOf, strayHostnames} from '../../source/deployment/environments.ts';
import type {Deployment, Environment} from '../../source/deployment/schema.ts';
import {commons, keycloakHost} from './names.ts';
import {
  approverPassword,
  keycloakSecret,
  postgresSecret,
  redisSecret,
  staffPassword,
  supersetKey,
} from './passwords.ts';

export type ValuesContext = {
  readonly deployment: Deployment;
  readonly environment: Environment;
  readonly secret: (name: string) => string;
};

/** A chart's values, and which texts among them nobody may see. */
export type ChartValues = {readonly values: object; readonly secretValues: readonly string[]};

/**
 * The same wherever the databases are: a server in the namespace brings a Service of this name, and for the storage host's
 * there is one of ours (`databaseService`).
 */
const databaseGlobals = {
  postgresqlHost: postgresSecret.name,
  postgresqlSecret: postgresSecret.name,
  postgresqlSecretKey: postgresSecret.key,
} as const;

const onStorageHost = ({deployment, environment}: Pick<ValuesContext, 'deployment' | 'environment'>): boolean =>
  databasePlaceOf(deployment, environment) === 'storage-host';

const keycloakUrl = ({deployment, environment}: Pick<ValuesContext, 'deployment' | 'environment'>): string =>
  `https://${keycloakHost(deployment, environment)}`;

/**
 * openg2p-commons-base: PostgreSQL, Kafka, MinIO, Redis, SoftHSM, Keycloak with its realm. The realm's first user is
 * written out as a whole, because Helm replaces lists and does not merge them: without a user name, its Job fails.
 */
export const baseValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment, secret} = context;
  const domain = environmentDomain(deployment, environment);
  const password = secret(staffPassword(environment));
  const email = environment.adminEmail ?? `admin@${domain}`;
  return {
    values: {
      global: {
        baseDomain: domain,
        kafkaUiHostname: hostnameOf(deployment, environment, 'kafka'),
        minioHostname: hostnameOf(deployment, environment, 'minio'),
        ...databaseGlobals,
      },
      postgresql: onStorageHost(context)
        ? {enabled: false}
        : {enabled: true, auth: {existingSecret: postgresSecret.name}},
      keycloak: {auth: {existingSecret: keycloakSecret.name, passwordSecretKey: keycloakSecret.key}},
      'redis-auth': {auth: {existingSecret: redisSecret.name, existingSecretPasswordKey: redisSecret.key}},
      'keycloak-init': {
        staffAdminEmail: email,
        realms: {
          staff: {
            users: [
              {
                username: 'admin',
                password,
                firstName: 'Admin',
                lastName: 'User',
                email,
                clientRoleMappings: {'openg2p-kafka': ['Admin'], 'openg2p-minio': ['consoleAdmin']},
              },
            ],
          },
        },
      },
    },
    secretValues: [password],
  };
};

/** Cookies of the staff portal are for its own domain, or for the deployment's where one of its names lies outside. */
const cookieDomain = ({deployment, environment}: ValuesContext): string => {
  const strays = strayHostnames(deployment, environment);
  const outside = (['staffPortal', 'staffPortalApi'] as const).some(service =>
    strays.includes(hostnameOf(deployment, environment, service)),
  );
  return `.${outside ? deployment.domain : environmentDomain(deployment, environment)}`;
};

/** openg2p-commons-services: eSignet, Superset, ODK, IAM, master data, audit, staff portal and others. */
export const servicesValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment, secret} = context;
  const key = secret(supersetKey(environment));
  return {
    values: {
      global: {
        baseDomain: environmentDomain(deployment, environment),
        // Within the cluster without TLS: programs in Java do not take the deployment's CA from where others do.
        keycloakInternalUrl: `http://${commons.base}-keycloak:80`,
        keycloakBaseUrl: keycloakUrl(context),
        keycloakAdminSecret: keycloakSecret.name,
        keycloakAdminSecretKey: keycloakSecret.key,
        ...databaseGlobals,
        redisInstallationName: `${commons.base}-redis`,
        redisAuthInstallationName: `${commons.base}-redis-auth`,
        minioInstallationName: `${commons.base}-minio`,
        mailInstallationName: `${commons.base}-mail`,
        kafkaInstallationName: `${commons.base}-kafka`,
        softhsmInstallationName: `${commons.base}-softhsm`,
        iamServiceUrl: `http://${commons.services}-iam-staff-portal-api`,
        supersetHostname: hostnameOf(deployment, environment, 'superset'),
        odkHostname: hostnameOf(deployment, environment, 'odk'),
        iamHostname: hostnameOf(deployment, environment, 'iam'),
        staffPortalHostname: hostnameOf(deployment, environment, 'staffPortal'),
        staffPortalApiHostname: hostnameOf(deployment, environment, 'staffPortalApi'),
        staffPortalCookieDomain: cookieDomain(context),
      },
      // These two charts take the text as it is, so what the others derive has to be written out.
      'openg2p-iam-service': {global: {keycloakBaseUrl: keycloakUrl(context)}},
      'openg2p-audit-manager': {global: {kafkaBootstrapServers: `${commons.base}-kafka:9092`}},
      superset: {supersetSecretKey: key},
      // All others use TLS where a server has it. ODK must be told, and knows only `true`: without looking at the certificate.
      ...(onStorageHost(context) && {'odk-central': {backend: {envVars: {DB_SSL: 'true'}}}}),
    },
    secretValues: [key],
  };
};

/** The tests that a chart runs as a hook of its own while its services are still starting: ours come afterwards. */
const withoutSanity = {sanity: {enabled: false}} as const;

const partnerKeys = `http://${commons.services}-pm-partner-api`;

/** openg2p-registry: names that begin with `staff-` and `partner-` are made of its own by the chart. */
export const registryValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment, secret} = context;
  const domain = environmentDomain(deployment, environment);
  const password = secret(approverPassword(environment));
  return {
    values: {
      global: {
        registryHostname: hostnameOf(deployment, environment, 'registry'),
        postgresqlHost: databaseGlobals.postgresqlHost,
        keycloakBaseUrl: keycloakUrl(context),
        // Browsers follow signed addresses of it, so it is the outer name of MinIO's API and not of its console.
        minioHost: `minio-api.${domain}`,
        idGeneratorHostname: `idgenerator-registry.${domain}`,
        aweHostname: `awe.${domain}`,
        aweApproverUserPassword: password,
        partnerManagementApiUrl: partnerKeys,
      },
      ...withoutSanity,
    },
    secretValues: [password],
  };
};

/** openg2p-spar. Its test partner's key is published, so that it must not be let in. */
export const sparValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment} = context;
  return {
    values: {
      global: {
        postgresqlHost: databaseGlobals.postgresqlHost,
        keycloakBaseUrl: keycloakUrl(context),
        partnerManagementApiUrl: partnerKeys,
        testPartnerEnabled: false,
      },
      sparMapperAPI: {sparHostname: hostnameOf(deployment, environment, 'spar')},
      benePortalAPI: {benePortalHostname: `spar-beneficiary.${environmentDomain(deployment, environment)}`},
    },
    secretValues: [],
  };
};

/** openg2p-pbms: Odoo with the programmes; reads the registry's database under the names that its release gives. */
export const pbmsValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment} = context;
  return {
    values: {
      hostname: hostnameOf(deployment, environment, 'pbms'),
      global: {
        postgresqlHost: databaseGlobals.postgresqlHost,
        keycloakBaseUrl: keycloakUrl(context),
        g2pPbmsBgTaskHostname: `pbms-tasks.${environmentDomain(deployment, environment)}`,
        keymanagerInstallationName: `${commons.services}-keymanager`,
        keymanagerBaseUrl: `http://${commons.services}-keymanager`,
        minioInstallationName: `${commons.base}-minio`,
        mailInstallationName: `${commons.base}-mail`,
        registryDB: 'registry',
        registryDBUser: 'registry_user',
        registryDBSecret: 'registry',
        registryDBUserPasswordKey: 'registry-db-user',
      },
    },
    secretValues: [],
  };
};

/** openg2p-bridge. The key of its test partner is published: partners' signatures are checked without it. */
export const bridgeValues = (context: ValuesContext): ChartValues => {
  const {deployment, environment} = context;
  const domain = environmentDomain(deployment, environment);
  return {
    values: {
      global: {
        postgresqlHost: databaseGlobals.postgresqlHost,
        keycloakBaseUrl: keycloakUrl(context),
        g2pBridgeHostname: hostnameOf(deployment, environment, 'g2pBridge'),
        benePortalHostname: `g2p-bridge-bene-portal.${domain}`,
        exampleBankHostname: `example-bank.${domain}`,
        g2pBridgeMapperBaseUrl: 'http://spar-openg2p-spar-mapper-api/api/mapper',
        testPartnerEnabled: false,
        g2pBridgeSignatureValidationEnabled: true,
      },
      ...withoutSanity,
    },
    secretValues: [],
  };
};
