import protobuf from 'protobufjs/light.js';
import { expect, test } from 'vitest';
import { statusSchema, TraceReader } from '../../../src/engine/image/buildkit.ts';
import { ClassicReader } from '../../../src/engine/image/classic-build.ts';

const StatusResponse = protobuf.Root.fromJSON(statusSchema).lookupType('StatusResponse');
const traceOf = (status: object) =>
  Buffer.from(StatusResponse.encode(StatusResponse.fromObject(status)).finish()).toString('base64');
const at = (seconds: number) => ({ seconds, nanos: 500_000_000 });
const logOf = (vertex: string, text: string) => ({ vertex, msg: Buffer.from(text) });

test('a step of BuildKit starts once, logs whole lines and ends once, though it is told many times', async () => {
  const reader = await TraceReader.open();
  const vertex = { digest: 'sha256:a', name: '[2/3] RUN make', started: at(10) };
  const events = [
    traceOf({ vertexes: [{ ...vertex, started: undefined }] }),
    traceOf({ vertexes: [vertex] }),
    traceOf({ vertexes: [vertex], logs: [logOf('sha256:a', 'one\ntw')] }),
    traceOf({ logs: [logOf('sha256:a', 'o\r\nlast')] }),
    traceOf({ vertexes: [{ ...vertex, completed: at(12) }] }),
    traceOf({ vertexes: [{ ...vertex, completed: at(12) }] }),
  ].flatMap((trace) => reader.read(trace));
  expect(events).toEqual([
    { kind: 'step', id: 'sha256:a', name: '[2/3] RUN make', state: 'started' },
    { kind: 'log', id: 'sha256:a', line: 'one' },
    { kind: 'log', id: 'sha256:a', line: 'two' },
    { kind: 'log', id: 'sha256:a', line: 'last' },
    { kind: 'step', id: 'sha256:a', name: '[2/3] RUN make', state: 'done', seconds: 2 },
  ]);
});

test.each([
  [{ cached: true }, 'cached'],
  [{ error: 'exit code: 1' }, 'failed'],
  [{}, 'done'],
])('a step of BuildKit that ends with %j is %s', async (more, state) => {
  const reader = await TraceReader.open();
  const vertex = { digest: 'sha256:a', name: 'step', started: at(1), completed: at(1), ...more };
  expect(reader.read(traceOf({ vertexes: [vertex] })).map((event) => 'state' in event && event.state)).toEqual([
    'started',
    state,
  ]);
});

test("a letter cut in two by BuildKit's log messages stays one letter", async () => {
  const reader = await TraceReader.open();
  const bytes = Buffer.from('größe\n');
  const halves = [bytes.subarray(0, 3), bytes.subarray(3)].map((msg) => traceOf({ logs: [{ vertex: 'v', msg }] }));
  expect(halves.flatMap((half) => reader.read(half))).toEqual([{ kind: 'log', id: 'v', line: 'größe' }]);
});

test('the classic builder tells the same story in lines', () => {
  const reader = new ClassicReader();
  const texts = [
    'Step 1/2 : FROM base',
    '\n',
    ' ---> 82da610f06ef\n',
    'Step 2/2 : RUN make\n',
    ' ---> Running in 3b\n',
    'cc -o',
    ' x\n',
  ];
  expect([...texts.flatMap((text) => reader.read(text)), ...reader.finish('failed')]).toEqual([
    { kind: 'step', id: '1/2', name: '[1/2] FROM base', state: 'started' },
    { kind: 'step', id: '1/2', name: '[1/2] FROM base', state: 'done' },
    { kind: 'step', id: '2/2', name: '[2/2] RUN make', state: 'started' },
    { kind: 'log', id: '2/2', line: 'cc -o x' },
    { kind: 'step', id: '2/2', name: '[2/2] RUN make', state: 'failed' },
  ]);
});

test('a step that the classic builder had in its cache is cached', () => {
  const reader = new ClassicReader();
  const events = [...reader.read('Step 1/1 : RUN make\n ---> Using cache\n ---> 82da\n'), ...reader.finish('done')];
  expect(events.at(-1)).toMatchObject({ state: 'cached' });
});

test('podman tells it too, each stage with steps of its own', () => {
  const reader = new ClassicReader();
  const lines = [
    '[1/2] STEP 1/2: FROM debian AS parts\n',
    '[1/2] STEP 2/2: RUN make\n',
    'made\n',
    '--> 19e76884e862\n',
    '[2/2] STEP 1/1: FROM debian\n--> Using cache 3343c7f81e8a\n--> 3343c7f81e8a\n',
    '[2/2] COMMIT app:1\n--> 92313478f1bb\nSuccessfully tagged localhost/app:1\n',
  ];
  expect([...lines.flatMap((line) => reader.read(line)), ...reader.finish('done')]).toEqual([
    { kind: 'step', id: '1:1/2', name: '[1:1/2] FROM debian AS parts', state: 'started' },
    { kind: 'step', id: '1:1/2', name: '[1:1/2] FROM debian AS parts', state: 'done' },
    { kind: 'step', id: '1:2/2', name: '[1:2/2] RUN make', state: 'started' },
    { kind: 'log', id: '1:2/2', line: 'made' },
    { kind: 'step', id: '1:2/2', name: '[1:2/2] RUN make', state: 'done' },
    { kind: 'step', id: '2:1/1', name: '[2:1/1] FROM debian', state: 'started' },
    { kind: 'step', id: '2:1/1', name: '[2:1/1] FROM debian', state: 'cached' },
  ]);
});
