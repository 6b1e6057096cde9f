import { expect, it } from 'vitest';
import { mergeJUnit } from '../../src/junit/merge-junit.ts';
import { parseJUnit } from '../../src/junit/read-junit.ts';
import { timesOf } from '../../src/junit/times.ts';

const surefire = `<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="com.acme.ShopTest" time="1.5" tests="2">
  <properties><property name="a" value="&lt;b&gt;"/></properties>
  <testcase name="sells" classname="com.acme.ShopTest" time="1,001.25"/>
  <testcase name="buys" classname="com.acme.ShopTest$Inner" time="0.5"><failure>no <![CDATA[</testcase>]]></failure></testcase>
</testsuite>
`;
const node = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="adds" time="0.25" classname="test" file="/workspace/test/sum.test.js"/>
	<!-- <testcase name="none"/> -->
	<testcase name="waits" time="0" classname="test" file="/workspace/test/sum.test.js"><skipped type="todo"/></testcase>
</testsuites>
<!-- tests 2 -->`;

it('reads where test cases are from and how long they took', () => {
  expect(parseJUnit(surefire)).toMatchObject({
    cases: [
      { from: ['com.acme.ShopTest', 'com.acme.ShopTest'], seconds: 1001.25 },
      { from: ['com.acme.ShopTest$Inner', 'com.acme.ShopTest'], seconds: 0.5 },
    ],
    failures: 1,
    skipped: 0,
  });
  expect(parseJUnit(node)?.cases.map(({ seconds }) => seconds)).toEqual([0.25, 0]);
});

it.each([
  ['another document', '<html></html>'],
  ['one that is cut off', '<testsuites><testcase name="a" time="1"/>'],
  ['one that nests wrongly', '<testsuites><testcase></testsuites>'],
  ['nothing', ''],
  ['no XML', '{"tests": 1}'],
  ['one with entities of its own', '<!DOCTYPE testsuites [<!ENTITY a "b">]><testsuites/>'],
])('takes %s for no report', (_, text) => {
  expect(parseJUnit(text)).toBeUndefined();
  expect(mergeJUnit([node, text])).toBeUndefined();
});

it('makes one report of several, every suite to the letter and everything counted', () => {
  const merged = mergeJUnit([surefire, '<testsuites/>', `\ufeff${node}`])!;
  const inner = (text: string) => text.slice(text.indexOf('\t<testcase'), text.indexOf('\n</testsuites>'));
  expect(merged).toBe(
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" errors="0" skipped="1" time="1002.000">
${surefire.slice(surefire.indexOf('<testsuite '), surefire.lastIndexOf('\n'))}
${inner(node).trim()}
</testsuites>
`,
  );
  expect(parseJUnit(merged)?.cases).toEqual([...parseJUnit(surefire)!.cases, ...parseJUnit(node)!.cases]);
});

it('knows files by their paths from anywhere, by classes and by modules', () => {
  const files = ['a/test/sum.test.js', 'b/test/sum.test.js', 'src/com/acme/ShopTest.java', 'tests/test_cart.py'];
  const times = timesOf(files, [
    { from: ['/workspace/a/test/sum.test.js'], seconds: 1 },
    { from: ['./a/test/sum.test.js'], seconds: 1 },
    { from: ['/home/ci/b/test/sum.test.js', 'test'], seconds: 4 },
    { from: ['com.acme.ShopTest$Inner'], seconds: 8 },
    { from: ['tests.test_cart.TestCart'], seconds: 16 },
    { from: ['test/sum.test.js'], seconds: 100 },
    { from: ['elsewhere.Other', '../x.js', ''], seconds: 100 },
  ]);
  expect([...times]).toEqual([
    ['a/test/sum.test.js', 2],
    ['b/test/sum.test.js', 4],
    ['src/com/acme/ShopTest.java', 8],
    ['tests/test_cart.py', 16],
  ]);
});
