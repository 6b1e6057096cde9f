import { expect, test } from 'vitest';
import { ionroller } from '../../../../src/deliver/targets/ionroller/ionroller.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { type Described, fileTemplate, image, inputOf, renderTexts } from '../../delivery-input.ts';

const options = {
  url: 'hello.example.com',
  hostedZoneId: 'Z123',
  awsAccountId: '012345678901',
  serviceRole: 'hello',
  deploymentBucket: 'bucket',
};
const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => renderTexts(ionroller, described));
  return [message, ...suggestions].join('\n');
};

test('options and service give a whole configuration, whose image has no tag', () => {
  const service = {
    health: '/health',
    env: { GREETING: 'it\'s "5 $" \\ 100 %\nünï', NO: 'yes' },
    args: ['-Da=b c', "it's $HOME"],
    volumes: [{ from: '/srv', to: '/data', readOnly: false }],
  };
  const described = { service, options: { ...options, stack: '64bit Docker', publish: 80 } };
  expect(renderTexts(ionroller, described)['ionroller.json']).toMatchInlineSnapshot(`
    "{
      "url": "hello.example.com",
      "hosted_zone_id": "Z123",
      "aws_account_id": "012345678901",
      "service_role": "hello",
      "image": "registry.example.com/acme/hello",
      "port_mappings": [
        {
          "internal": 8080,
          "external": 80
        }
      ],
      "volume_mappings": [
        {
          "internal": "/data",
          "external": "/srv"
        }
      ],
      "run_args": [
        "-Da=b c",
        "it's $HOME"
      ],
      "eb": {
        "deployment_bucket": "bucket",
        "stack": "64bit Docker",
        "settings": [
          {
            "Namespace": "aws:elasticbeanstalk:application",
            "OptionName": "Application Healthcheck URL",
            "Value": "/health"
          },
          {
            "Namespace": "aws:elasticbeanstalk:application:environment",
            "OptionName": "GREETING",
            "Value": "it's \\"5 $\\" \\\\ 100 %\\nünï"
          },
          {
            "Namespace": "aws:elasticbeanstalk:application:environment",
            "OptionName": "NO",
            "Value": "yes"
          }
        ]
      }
    }
    "
  `);
});

const template = (changed: object) =>
  fileTemplate(
    'ops/ionroller.json',
    JSON.stringify({
      url: 'hello.example.com',
      hosted_zone_id: 'Z123',
      aws_account_id: '012345678901',
      service_role: 'hello',
      port_mappings: [{ internal: 9000, external: 9000 }],
      run_args: ['-Dpidfile.path=/dev/null'],
      eb: { deployment_bucket: 'bucket', settings: [], ours: 1 },
      remove_unused_after_minutes: 1,
      ...changed,
    }),
  );

test("the repository's own configuration gets the image, and all else passes", () => {
  const text = renderTexts(ionroller, { template: template({}) })['ionroller.json']!;
  expect(JSON.parse(text)).toEqual({
    ...JSON.parse([...template({}).files.values()][0]!),
    image: 'registry.example.com/acme/hello',
  });
});

test('a configuration with an image, without a key, or with what breaks a Dockerfile is refused with its places', async () => {
  const changed = { image: 'acme/hello', run_args: ['a', 'say "hi"'], eb: undefined };
  expect(await refusal({ template: template(changed) })).toMatchInlineSnapshot(`
    "3 mistakes in ops/ionroller.json

      ops/ionroller.json:1:1  expected the key eb, found none
        > 1 | {"url":"hello.example.com","hosted_zone_id":"Z123","aws_account_id":"012345678901","service_role…
            | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

      ops/ionroller.json:1:175  run_args[1]: expected no quotes, backslashes and line ends, which ION-Roller does not escape, found "say \\"hi\\""
        > 1 | …nternal":9000,"external":9000}],"run_args":["a","say \\"hi\\""],"remove_unused_after_minutes":1,"i…
            |                                                  ^^^^^^^^^^^^

      ops/ionroller.json:1:229  image: expected no image: gbuild writes acme/hello:1.0.1 here, found "acme/hello"
        > 1 | …rnal":9000}],"run_args":["a","say \\"hi\\""],"remove_unused_after_minutes":1,"image":"acme/hello"}
            |                                                                                     ^^^^^^^^^^^^
        leave the key out, or its value empty"
  `);
  expect(await refusal({ template: template({}), options: { stack: 'x' } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: stack is an option, and ops/ionroller.json says it all
    leave deliver.targets.ionroller.options out, or the template"
  `);
  expect(await refusal({ template: fileTemplate('a.json', '[]') })).toMatch('expected an object');
});

test('what ION-Roller cannot take is refused', async () => {
  const config = { ...image.config, Entrypoint: [] };
  expect(await refusal({ options, image: { config } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: run_args take the place of its whole command, because it has no entrypoint
    write image.entrypoint in gbuild.yml, then make a new release"
  `);
  const published = { ...image.published!, repository: 'registry.example.com:5000/hello' };
  expect(await refusal({ options, image: { name: 'hello', published } })).toMatchInlineSnapshot(`
    "hello:1.0.1 cannot be delivered to ionroller: ION-Roller takes images such as acme/hello, and hello has no slash
    write name: acme/hello in gbuild.yml, then make a new release"
  `);
  expect(await refusal({})).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: nothing says url, hostedZoneId, awsAccountId, serviceRole, deploymentBucket
    write them under deliver.targets.ionroller.options
    or name the JSON of ionroller set_config: deliver.targets.ionroller.template"
  `);
  expect(await refusal({ options, service: { args: ['a\\b'] } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: ION-Roller cannot pass "a\\\\b": it escapes no quotes, backslashes and line ends
    read it from a variable (deliver.service.env), or write it into a script of the image"
  `);
  const volume = (from: string, readOnly: boolean) =>
    refusal({ options, service: { volumes: [{ from, to: '/data', readOnly }] } });
  expect(await volume('data', false)).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: Elastic Beanstalk has no volumes by name, and /data wants data
    name a folder of the machine in deliver.service.volumes"
  `);
  expect(await volume('/srv', true)).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to ionroller: Elastic Beanstalk mounts /data writable
    leave readOnly out of deliver.service.volumes"
  `);
});

test('a version that is cut in the name of its environment is told', () => {
  const warnings = (version: string, name = 'acme/hello') =>
    ionroller.listWarnings!(inputOf(ionroller, { image: { version, name } }));
  expect(warnings('1.0.1')).toEqual([]);
  expect(warnings('1.0.1-rc.10')).toEqual([]);
  expect(warnings('1.0.1-rc.10', 'acme/greetings-service')).toMatchInlineSnapshot(`
    [
      "ionroller names the environment greetings--1-0-1-rc-..., without the end of 1.0.1-rc.10: versions that differ only there look alike in Elastic Beanstalk",
    ]
  `);
});
