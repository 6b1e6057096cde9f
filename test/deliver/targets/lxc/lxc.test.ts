import { expect, test } from 'vitest';
import { lxc } from '../../../../src/deliver/targets/lxc/lxc.ts';
import { errorOf } from '../../../support/assert/error-of.ts';
import { type Described, image, inputOf, renderTexts } from '../../delivery-input.ts';

const service = {
  env: { GREETING: 'it\'s "5 $" \\ 100 % # ünïcode ', EMPTY: '', NO: 'yes' },
  args: ['--name', 'a b', '', '$HOME #1 ünï'],
  cpu: 0.5,
  memory: 512 * 1024 ** 2,
  volumes: [
    { from: '/srv/a b', to: '/data', readOnly: false },
    { from: '/etc/hello', to: '/etc/hello', readOnly: true },
  ],
};

test('a layout and a configuration with limits, variables, mounts and arguments', () => {
  expect(renderTexts(lxc, { service })).toMatchInlineSnapshot(`
    {
      "image": "{"kind":"oci-layout","path":"image","refName":"1.0.1"}",
      "lxc.conf": "# acme/hello:1.0.1, image sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    lxc.cgroup2.memory.max = 536870912
    lxc.cgroup2.cpu.max = 50000 100000
    lxc.cgroup2.pids.max = 1024
    lxc.environment = "GREETING=it's "5 $" \\ 100 % # ünïcode "
    lxc.environment = "EMPTY="
    lxc.environment = "NO=yes"
    lxc.mount.entry = /srv/a\\040b data none bind,create=dir 0 0
    lxc.mount.entry = /etc/hello etc/hello none bind,create=dir,ro 0 0
    lxc.execute.cmd = '"node" "server.js" "--name" "a b" "" "$HOME #1 ünï"'
    ",
    }
  `);
});

test('machines with control groups of version 1 get their own keys', () => {
  const options = { cgroup: 1, pids: 64 };
  const { cpu, memory } = service;
  expect(renderTexts(lxc, { service: { cpu, memory }, options })['lxc.conf']).toMatchInlineSnapshot(`
    "# acme/hello:1.0.1, image sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    lxc.cgroup.memory.limit_in_bytes = 536870912
    lxc.cgroup.cpu.cfs_period_us = 100000
    lxc.cgroup.cpu.cfs_quota_us = 50000
    lxc.cgroup.pids.max = 64
    "
  `);
  expect(renderTexts(lxc)['lxc.conf']).toMatchInlineSnapshot(`
    "# acme/hello:1.0.1, image sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    lxc.cgroup2.pids.max = 1024
    "
  `);
});

const refusal = async (described: Described) => {
  const { message, suggestions } = await errorOf(() => renderTexts(lxc, described));
  return [message, ...suggestions].join('\n');
};

test("what LXC's template would change is refused", async () => {
  const config = (changed: object) => ({ image: { config: { ...image.config, ...changed } } });
  expect(await refusal(config({ Entrypoint: ['node', '-e', "it's"] }))).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to lxc: LXC cannot start "it's": it splits a command at quotes, backslashes and line ends
    move the command into a script of the image, and name that in image.entrypoint"
  `);
  expect(await refusal(config({ Cmd: ['C:\\x'] }))).toMatch('cannot start "C:\\\\x"');
  expect(await refusal({ service: { args: ['say "hi"'] } })).toMatch('cannot start "say \\"hi\\""');
  expect(await refusal({ service: { args: ['a\nb'] } })).toMatch('cannot start "a\\nb"');
  expect(await refusal(config({ Entrypoint: [] }))).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to lxc: it has no command, and LXC would start a shell
    write image.entrypoint in gbuild.yml"
  `);
  expect(await refusal(config({ Env: ['A=1', 'B=a\nb'] }))).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to lxc: LXC's template loses a line end or a blank at the end of "B=a\\nb"
    write another value under image.env in gbuild.yml"
  `);
  expect(await refusal(config({ Env: ['B=a '] }))).toMatch('loses a line end or a blank');
  expect(await refusal({ service: { env: { A: 'a\nb' } } })).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to lxc: LXC's configuration has no word for the line end in A
    write another value under deliver.service.env.A"
  `);
  expect(
    await refusal({ service: { volumes: [{ from: 'data', to: '/data', readOnly: false }] } }),
  ).toMatchInlineSnapshot(`
    "acme/hello:1.0.1 cannot be delivered to lxc: LXC has no volumes by name, and /data wants data
    name a folder of the machine in deliver.service.volumes, such as /srv/data"
  `);
});

test('an image without /etc is refused, and a limit that nobody set is told', async () => {
  const input = inputOf(lxc, {});
  expect(await errorOf(() => lxc.judgeFiles!(input, { hasFolder: () => false }))).toMatchInlineSnapshot(`
    {
      "code": "delivery-refused",
      "message": "acme/hello:1.0.1 cannot be delivered to lxc: its files have no /etc, in which LXC writes the name of the machine",
      "suggestions": [
        "leave image.base out of gbuild.yml, or name a base that has an /etc; then make a new release",
      ],
    }
  `);
  lxc.judgeFiles!(input, { hasFolder: (path) => path === 'etc' });
  expect(lxc.listWarnings!(input)).toMatchInlineSnapshot(`
    [
      "lxc limits no memory and no cpu: gbuild.yml says none under deliver.service",
    ]
  `);
  expect(lxc.listWarnings!(inputOf(lxc, { service }))).toEqual([]);
});
