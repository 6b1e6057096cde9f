import { z } from 'zod';
import { publishedPorts } from '../ports.ts';
import { bareTask } from './bare-task.ts';
import { mapping } from './mapping.ts';
import { anyText, duration, text, texts, variables, workspaceGlob, workspacePath } from './scalars.ts';
import { secretName } from './secret-schema.ts';

const taskName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9:._-]*$/, 'the name of a task: letters, digits and : . _ -, starting with a letter');

const line = text.regex(/\S/, 'a command');

const wordList = z
  .array(anyText)
  .min(1, 'a command and its arguments')
  .superRefine((words, context) => {
    if (!/\s/.test(words[0] ?? '') && words[0] !== '') return;
    context.addIssue({
      code: 'custom',
      path: [0],
      message:
        'a program | a list is one command, word by word; for several commands use a text of several lines: run: |',
    });
  });

export const command = z
  .union([line, wordList], { error: 'a command: a text for a shell, or one program and its arguments as a list' })
  .describe('A text is run by a shell (sh -e); a list is one program with its arguments, no shell');

const taskMapping = mapping({
  run: command,
  needs: texts.default([]).describe('Tasks that must succeed first; independent ones run in parallel'),
  env: variables.default({}).describe('Variables of this task, on top of the env of the file'),
  secrets: z
    .array(secretName)
    .default([])
    .describe('Secrets it gets, each as a file /run/secrets/NAME that the variable NAME_FILE names'),
  ports: publishedPorts
    .default([])
    .describe('Ports to be reached from outside while it runs: 3000, "8080:3000" (ENGINEPORT:PORT), 5353/udp'),
  services: texts.default([]).describe('Services that are there while it runs, each by its name'),
  timeout: z.exactOptional(duration).describe('The task is stopped after this time: 90s, 10m, 1h30m'),
  reports: z.array(workspaceGlob).default([]).describe('Globs of the reports the task leaves in the workspace'),
  split: z
    .array(workspaceGlob)
    .default([])
    .describe('Globs of its test files: every shard gets a part of them, listed in the file GBUILD_SHARD_FILES'),
  workdir: workspacePath.default('.').describe('A folder of the repository to run in'),
});

const shortTask = line.transform((run): z.output<typeof taskMapping> => ({ ...bareTask, run }));

export const tasksSchema = z.record(
  taskName,
  z.union([shortTask, taskMapping], { error: 'a command, or a mapping with run' }),
);
