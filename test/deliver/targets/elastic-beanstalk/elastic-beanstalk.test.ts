import { expect, test } from 'vitest';
import type { Bundle } from '../../../../src/deliver/files.ts';
import { describeService } from '../../../../src/deliver/service.ts';
import { elasticBeanstalk } from '../../../../src/deliver/targets/elastic-beanstalk/elastic-beanstalk.ts';
import type { Template } from '../../../../src/deliver/template.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { type Described, image, renderTexts } from '../../delivery-input.ts';

const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => renderTexts(elasticBeanstalk, described));
  return [message, ...suggestions];
};
const dockerrun = { form: 'dockerrun' };

test('the bundle starts from the digest, with port, variables, arguments, volumes and health', () => {
  const service = {
    port: 80,
    health: '/health?deep',
    cpu: 0.5,
    env: { GREETING: `it's "5 $HOME" \\ ünï`, EMPTY: '', ANSWER: 'yes', VERSION: '1.10' },
    args: ['--name', 'a "b"', '$HOME', '\n'],
    volumes: [{ from: '/srv', to: '/data', readOnly: false }],
  };
  expect(renderTexts(elasticBeanstalk, { service })).toMatchInlineSnapshot(`
    {
      ".ebextensions/00-gbuild.config": "{
      "option_settings": {
        "aws:elasticbeanstalk:application": {
          "Application Healthcheck URL": "/health?deep"
        }
      }
    }
    ",
      "Dockerfile": "# No cpu and no memory: the only container of an instance has all of it.
    FROM registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    EXPOSE 80
    ENV GREETING="it's \\"5 \\$HOME\\" \\\\ ünï"
    ENV EMPTY=""
    ENV ANSWER="yes"
    ENV VERSION="1.10"
    CMD ["--name","a \\"b\\"","$HOME","\\n"]
    ",
      "Dockerrun.aws.json": "{
      "AWSEBDockerrunVersion": "1",
      "Volumes": [
        {
          "HostDirectory": "/srv",
          "ContainerDirectory": "/data"
        }
      ]
    }
    ",
    }
  `);
});

test('the other form names the image and has no Dockerfile', () => {
  const volumes = [{ from: '/srv', to: '/data', readOnly: false }];
  expect(renderTexts(elasticBeanstalk, { options: dockerrun, service: { volumes } })).toMatchInlineSnapshot(`
    {
      "Dockerrun.aws.json": "{
      "AWSEBDockerrunVersion": "1",
      "Image": {
        "Name": "registry.example.com/acme/hello@sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
      },
      "Ports": [
        {
          "ContainerPort": 8080
        }
      ],
      "Volumes": [
        {
          "HostDirectory": "/srv",
          "ContainerDirectory": "/data"
        }
      ]
    }
    ",
    }
  `);
});

test('files of the repository come along, hooks as programs', () => {
  const template: Template = {
    path: 'eb',
    files: new Map([
      ['.ebextensions/options.config', 'option_settings: {}\n'],
      ['.platform/hooks/prebuild/01-login.sh', '#!/bin/sh'],
      ['.platform/nginx/conf.d/x.conf', 'x'],
    ]),
  };
  const service = describeService(image.name, image.config, undefined);
  const [zip] = elasticBeanstalk.render({ image, service, options: { form: 'dockerfile' }, template, target: 'eb' });
  const { path, entries } = zip as Bundle;
  expect([path, ...entries.slice(1)]).toMatchInlineSnapshot(`
    [
      "hello-1.0.1.zip",
      {
        "kind": "text",
        "path": ".ebextensions/options.config",
        "text": "option_settings: {}
    ",
      },
      {
        "isExecutable": true,
        "kind": "text",
        "path": ".platform/hooks/prebuild/01-login.sh",
        "text": "#!/bin/sh",
      },
      {
        "kind": "text",
        "path": ".platform/nginx/conf.d/x.conf",
        "text": "x",
      },
    ]
  `);
});

test('what Elastic Beanstalk cannot run is refused with a way out', async () => {
  const from = { to: '/data', readOnly: false };
  const template = (path: string): Template => ({ path: 'eb', files: new Map([[path, '']]) });
  expect({
    entrypoint: await refusal({ image: { config: { Cmd: ['node', 'server.js'] } } }),
    shell: await refusal({ image: { config: { Entrypoint: ['/bin/sh', '-c', 'node server.js'] } } }),
    port: await refusal({ image: { config: { Entrypoint: ['node'], ExposedPorts: { '80/tcp': {}, '81/tcp': {} } } } }),
    line: await refusal({ service: { env: { KEYS: 'a\nb' } } }),
    named: await refusal({ service: { volumes: [{ ...from, from: 'data' }] } }),
    readOnly: await refusal({ service: { volumes: [{ ...from, from: '/srv', readOnly: true }] } }),
    dockerrun: await refusal({ options: dockerrun, service: { env: { A: 'b' }, args: [] } }),
    compose: await refusal({ template: template('docker-compose.yml') }),
  }).toMatchInlineSnapshot(`
    {
      "compose": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: eb/docker-compose.yml takes the place of a file that gbuild writes",
        "move it out of eb; .ebextensions and .platform may stay",
      ],
      "dockerrun": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: Dockerrun.aws.json cannot say env and args of the service",
        "write deliver.targets.elastic-beanstalk.options.form: dockerfile",
      ],
      "entrypoint": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: the image has no entrypoint",
        "write image.entrypoint in gbuild.yml as a list: [node, server.js]",
      ],
      "line": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: the value of KEYS has a line break, which a Dockerfile cannot say",
        "remove KEYS from deliver.service.env, and set it as a property of the environment: eb setenv",
      ],
      "named": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: Elastic Beanstalk has no volumes by name, such as data",
        "name a folder of the machine that the application may write to: from: /var/app/data",
      ],
      "port": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: its proxy needs the port of the application, and nothing says exactly one",
        "write deliver.service.port in gbuild.yml",
      ],
      "readOnly": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: Elastic Beanstalk mounts no folder read-only, such as /srv",
        "name a folder of the machine that the application may write to: from: /var/app/data",
      ],
      "shell": [
        "acme/hello:1.0.1 cannot be delivered to elastic-beanstalk: the entrypoint of the image is a line for a shell",
        "write image.entrypoint in gbuild.yml as a list: [node, server.js]",
      ],
    }
  `);
});
