import type { Engine } from '../../../engine/engine.ts';
import type { EngineInfo } from '../../../engine/info.ts';
import { GbuildError } from '../../../errors.ts';
import type { TaskPlan } from '../../../plan/task-plan.ts';

/** Refuses tasks that need what no swarm offers. Throws `usage`. */
export function assertFitsSwarm({ tasks, network }: TaskPlan): void {
  const secret = tasks.find((task) => task.secrets.length > 0);
  if (secret !== undefined) {
    throw new GbuildError(
      'usage',
      `task ${secret.name} needs secrets (${secret.secrets.join(', ')}), and the nodes of a swarm keep what it prints in their logs`,
      {
        suggestions: ['gbuild test --on NAME,NAME   # contexts, machines or addresses: see "gbuild engine ls"'],
        facts: { task: secret.name, secrets: secret.secrets },
      },
    );
  }
  const unfit = tasks.find((task) => task.services.length + task.ports.length > 0);
  if (unfit !== undefined) {
    const what = unfit.services.length > 0 ? 'services' : 'ports';
    throw new GbuildError('usage', `task ${unfit.name} has ${what}, which a job of a swarm cannot have`, {
      suggestions: ['gbuild test --on NAME,NAME   # contexts, machines or addresses: see "gbuild engine ls"'],
      facts: { task: unfit.name, [what]: unfit[what] },
    });
  }
  if (network === 'bridge' || network === 'host') return;
  throw new GbuildError('usage', `network: ${network} in gbuild.yml: a swarm runs jobs on "bridge" and "host" only`, {
    suggestions: ['gbuild test --on NAME,NAME   # contexts, machines or addresses: see "gbuild engine ls"'],
    facts: { network },
  });
}

/** Asserts that the engine is a manager of a swarm. Throws `usage`. */
export function assertManager({ endpoint: { url } }: Engine, { swarm }: EngineInfo): void {
  if (swarm === 'manager') return;
  const isWorker = swarm === 'worker';
  throw new GbuildError(
    'usage',
    isWorker
      ? `the engine at ${url} is a worker of a swarm: jobs are given to a manager`
      : `the engine at ${url} is in no swarm`,
    {
      suggestions: isWorker
        ? ['gbuild test --on swarm --context a-manager', 'docker node promote NODE   # on a manager']
        : ['gbuild test --on swarm --context a-manager', 'docker swarm init   # on that engine'],
      facts: { endpoint: url, swarm },
    },
  );
}

/** Reports that no registry is named from which the nodes can pull image and workspace. */
export function noRegistryForSwarm(): GbuildError {
  return new GbuildError('usage', 'nothing says which registry the nodes of the swarm get the workspace from', {
    suggestions: [
      'gbuild test --on swarm --registry registry.example.com:5000   # one that all nodes reach',
      'export GBUILD_REGISTRY=registry.example.com:5000',
      'write "registry: registry.example.com" in gbuild.yml',
    ],
  });
}

/** Reports that every node that could run a shard is gone. */
export function noNodeLeft({ endpoint: { url } }: Engine, what: string): GbuildError {
  return new GbuildError('engine-failed', `${what}: no other node of the swarm at ${url} is ready and active`, {
    suggestions: ['docker node ls', 'docker node update --availability active NODE'],
    facts: { endpoint: url },
  });
}
