import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connectEngine, type Engine } from '../../../src/engine/engine.ts';
import { readOwner } from '../../../src/fs/process-owner.ts';
import { endpointOf } from '../../support/engines/endpoint-of.ts';
import { runScript } from '../../support/engines/run-script.ts';
import { ensureFromCatalog } from '../../support/toolchains/toolchain-catalog.ts';

let engine: Engine;
let image: string;

beforeAll(async () => {
  engine = connectEngine(endpointOf(inject('engineHost')), { owner: readOwner(), runId: `sbt-${process.pid}` });
  image = (await ensureFromCatalog(engine, 'sbt', '1.11.7')).build.reference;
});
afterAll(() => engine.close());

/** Runs a script beside a java that prints its words, one a line, but for the caches of sbt. */
const run = (script: string) =>
  runScript(
    engine,
    image,
    `cd "$(mktemp -d)" && mkdir bin project && PATH=$PWD/bin:$PATH && exec 2>&1
printf '#!/bin/sh\\nfor word; do case "$word" in -Dsbt.ivy.home=/cache*|-Dsbt.*=/cache/sbt/*) ;; *) echo "$word" ;; esac; done\\n' > bin/java
chmod 755 bin/java
${script}`,
  );

test('sbt takes the options of its own start script, from .sbtopts, SBT_OPTS and the call', async () => {
  const script = `echo 'sbt.version = 1.9.9' > project/build.properties
printf -- '# a comment\\n-mem 2048\\n-J-Xss8m\\n-v\\nclean\\n' > .sbtopts
export SBT_OPTS='-Dq=1 -no-colors -XX:+UseSerialGC'
sbt -Dkey="a b'c" -batch --supershell=false --debug --java-home /opt/none --jvm-debug 5005 "testOnly x -- -z foo*" ';clean ;test'`;
  expect(await run(script)).toMatchInlineSnapshot(`
      "-Dfile.encoding=UTF-8
      -Xss8m
      -Dkey=a b'c
      -Dsbt.supershell=false
      -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=5005
      -Dq=1
      -Dsbt.log.noformat=true
      -XX:+UseSerialGC
      -Xms2048m
      -Xmx2048m
      -Xss4M
      -XX:ReservedCodeCacheSize=256m
      -jar
      /opt/sbt/sbt-launch.jar
      -debug
      clean
      testOnly x -- -z foo*
      ;clean ;test
      "
    `);
});

test('sbt is given memory and stack where nobody says anything of them, and the version where the build is silent', async () => {
  expect(
    await run(
      "sbt test; echo; JAVA_OPTS=-Xmx300m sbt --client compile; echo; sbt -J-Xmx400m -sbt-version 1.8.3 'show name'",
    ),
  ).toMatchInlineSnapshot(`
      "-Dfile.encoding=UTF-8
      -Dsbt.version=1.11.7
      -Xms1024m
      -Xmx1024m
      -Xss4M
      -XX:ReservedCodeCacheSize=128m
      -jar
      /opt/sbt/sbt-launch.jar
      test

      -Xmx300m
      -Dsbt.version=1.11.7
      -jar
      /opt/sbt/sbt-launch.jar
      compile

      -Dfile.encoding=UTF-8
      -Dsbt.version=1.11.7
      -Xmx400m
      -Dsbt.version=1.8.3
      -jar
      /opt/sbt/sbt-launch.jar
      show name
      "
    `);
});

test('sbt says its versions without starting, and which option lacks a value', async () => {
  const script = `sbt --version; echo 'sbt.version=1.9.9' > project/build.properties
sbt -V; sbt --numeric-version; sbt --script-version; sbt -mem; echo "exit code $?"; sbt --help | head -n 1`;
  expect(await run(script)).toMatchInlineSnapshot(`
      "sbt version in this project: 1.11.7
      sbt runner version: 1.11.7
      sbt version in this project: 1.9.9
      sbt runner version: 1.11.7
      1.9.9
      1.11.7
      sbt: -mem needs a value
      exit code 2
      usage: sbt [OPTION...] [COMMAND...]
      "
    `);
});
