import { z } from 'zod';

/*
 * Types of the fields of RegisterTaskDefinition, as botocore's model of the API (2014-11-13) has them. Fields that it does not
 * know pass: the API gets new ones. Every message is what was expected.
 */

const text = z.string('a text');
const count = z.int('a whole number');
const flag = z.boolean('true or false');
const texts = z.array(text, 'a list of texts');
const textMap = z.record(z.string(), text, 'an object of texts');

function object<R extends z.ZodRawShape, O extends z.ZodRawShape>(required: R, optional: O) {
  return z.looseObject({ ...required, ...z.object(optional).partial().shape }, 'an object');
}

function list<T extends z.ZodType>(element: T) {
  return z.array(element, 'a list');
}

const pairs = list(object({}, { name: text, value: text }));
const secrets = list(object({ name: text, valueFrom: text }, {}));

const portMapping = object(
  {},
  {
    containerPort: count,
    hostPort: count,
    protocol: text,
    name: text,
    appProtocol: text,
    containerPortRange: text,
  },
);

const linuxParameters = object(
  {},
  {
    capabilities: object({}, { add: texts, drop: texts }),
    devices: list(object({ hostPath: text }, { containerPath: text, permissions: texts })),
    initProcessEnabled: flag,
    sharedMemorySize: count,
    tmpfs: list(object({ containerPath: text, size: count }, { mountOptions: texts })),
    maxSwap: count,
    swappiness: count,
  },
);

const limits = {
  cpu: count,
  memory: count,
  memoryReservation: count,
  startTimeout: count,
  stopTimeout: count,
  ulimits: list(object({ name: text, softLimit: count, hardLimit: count }, {})),
  resourceRequirements: list(object({ value: text, type: text }, {})),
  restartPolicy: object({ enabled: flag }, { ignoredExitCodes: z.array(count, 'a list'), restartAttemptPeriod: count }),
};

const storage = {
  mountPoints: list(object({}, { sourceVolume: text, containerPath: text, readOnly: flag })),
  volumesFrom: list(object({}, { sourceContainer: text, readOnly: flag })),
};

const logs = {
  logConfiguration: object({ logDriver: text }, { options: textMap, secretOptions: secrets }),
  firelensConfiguration: object({ type: text }, { options: textMap }),
};

const names = { hostname: text, user: text, workingDirectory: text, versionConsistency: text };
const flags = {
  essential: flag,
  disableNetworking: flag,
  privileged: flag,
  readonlyRootFilesystem: flag,
  interactive: flag,
  pseudoTerminal: flag,
};
const lists = {
  links: texts,
  entryPoint: texts,
  command: texts,
  dnsServers: texts,
  dnsSearchDomains: texts,
  dockerSecurityOptions: texts,
  credentialSpecs: texts,
};

const container = object(
  { name: text },
  {
    // A template leaves it out, or empty, where the release goes.
    image: text.nullable(),
    repositoryCredentials: object({ credentialsParameter: text }, {}),
    portMappings: list(portMapping),
    environment: pairs,
    environmentFiles: list(object({ value: text, type: text }, {})),
    linuxParameters,
    secrets,
    dependsOn: list(object({ containerName: text, condition: text }, {})),
    extraHosts: list(object({ hostname: text, ipAddress: text }, {})),
    dockerLabels: textMap,
    healthCheck: object({ command: texts }, { interval: count, timeout: count, retries: count, startPeriod: count }),
    systemControls: list(object({}, { namespace: text, value: text })),
    ...limits,
    ...storage,
    ...logs,
    ...names,
    ...flags,
    ...lists,
  },
);

const volume = object(
  {},
  {
    name: text,
    host: object({}, { sourcePath: text }),
    dockerVolumeConfiguration: object(
      {},
      { scope: text, autoprovision: flag, driver: text, driverOpts: textMap, labels: textMap },
    ),
    efsVolumeConfiguration: object(
      { fileSystemId: text },
      {
        rootDirectory: text,
        transitEncryption: text,
        transitEncryptionPort: count,
        authorizationConfig: object({}, { accessPointId: text, iam: text }),
      },
    ),
    s3filesVolumeConfiguration: object(
      { fileSystemArn: text },
      { rootDirectory: text, transitEncryptionPort: count, accessPointArn: text },
    ),
    fsxWindowsFileServerVolumeConfiguration: object(
      {
        fileSystemId: text,
        rootDirectory: text,
        authorizationConfig: object({ credentialsParameter: text, domain: text }, {}),
      },
      {},
    ),
    configuredAtLaunch: flag,
  },
);

/** Schema of what a task definition is registered with. */
export const taskSchema = object(
  {
    family: text.regex(/^[A-Za-z0-9_-]{1,255}$/, 'letters, digits, _ and -, at most 255'),
    containerDefinitions: z.array(container, 'a list').min(1, 'at least one container'),
  },
  {
    taskRoleArn: text,
    executionRoleArn: text,
    networkMode: text,
    volumes: list(volume),
    placementConstraints: list(object({}, { type: text, expression: text })),
    requiresCompatibilities: texts,
    cpu: text,
    memory: text,
    tags: list(
      object(
        {},
        {
          key: text.min(1, 'a text that is not empty').max(128, 'at most 128 characters'),
          value: text.max(256, 'at most 256 characters'),
        },
      ),
    ),
    pidMode: text,
    ipcMode: text,
    proxyConfiguration: object({ containerName: text }, { type: text, properties: pairs }),
    inferenceAccelerators: list(object({ deviceName: text, deviceType: text }, {})),
    ephemeralStorage: object({ sizeInGiB: count }, {}),
    runtimePlatform: object({}, { cpuArchitecture: text, operatingSystemFamily: text }),
    enableFaultInjection: flag,
  },
);

export type TaskDefinition = z.output<typeof taskSchema>;
